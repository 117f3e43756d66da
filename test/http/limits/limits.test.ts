import { describe, expect, test } from 'vitest'
import { availabilityResponse } from '../../../src/contract/dashboard.ts'
import { defaultsResponse, explainResponse, limitsResponse } from '../../../src/contract/limits.ts'
import { SECOND, START } from '../../core/test-clock.ts'
import { asDescribed } from '../as-described.ts'
import { ADMIN, createTestApp } from '../test-app.ts'

const RPM = { name: 'rpm', capacity: 10, refill_rate: 10 / 60 }

const withEntity = async (more: object = {}) => {
  const app = createTestApp()
  await app.send('POST', '/api/entities', { body: { entity_id: 'org', name: 'Org', ...more } })
  const inForce = async (search = '') =>
    asDescribed(await app.send('GET', `/api/limits/org${search}`), limitsResponse)
  const rpm = async (search = '') => (await inForce(search)).limits.find(({ name }) => name === 'rpm')
  return { ...app, inForce, rpm }
}

describe('limits', () => {
  test('are returned with their properties and their source', async () => {
    const { send, inForce } = await withEntity()
    const put = asDescribed(await send('PUT', '/api/limits/org', { body: { limits: [RPM] } }), limitsResponse)
    expect(put).toMatchObject({ entity_id: 'org', resource: '_default_' })
    expect(put.limits).toContainEqual({
      ...RPM,
      meter: 'requests',
      algorithm: 'token_bucket',
      source: 'entity:_default_',
    })
    expect(await inForce()).toEqual(put)
  })

  test('on a resource override those for all, which apply again after a deletion', async () => {
    const { send, rpm } = await withEntity()
    await send('PUT', '/api/models/gpt-4', { body: {} })
    await send('PUT', '/api/limits/org', { body: { limits: [RPM] } })
    await send('PUT', '/api/limits/org', { body: { resource: 'gpt-4', limits: [{ ...RPM, capacity: 5 }] } })
    expect(await rpm('?resource=gpt-4')).toMatchObject({ capacity: 5, source: 'entity:gpt-4' })
    expect((await send('DELETE', '/api/limits/org?resource=gpt-4')).status).toBe(204)
    expect(await rpm('?resource=gpt-4')).toMatchObject({ capacity: 10, source: 'entity:_default_' })
    expect((await send('DELETE', '/api/limits/org')).status).toBe(204)
    expect(await rpm()).toMatchObject({ capacity: 60, source: 'environment' })
    expect((await send('DELETE', '/api/limits/org')).status).toBe(204)
  })

  test('of a resource in the query are those of that resource, and no others', async () => {
    const { send, inForce, rpm } = await withEntity()
    const before = await inForce()
    const put = await send('PUT', '/api/limits/org?resource=search', { body: { limits: [RPM] } })
    expect(put).toMatchObject({ status: 200, body: { resource: 'search' } })
    expect(await rpm('?resource=search')).toMatchObject({ capacity: 10, source: 'entity:search' })
    expect(await inForce()).toEqual(before)
    const two = { body: { resource: 'gpt-4', limits: [RPM] } }
    expect(await send('PUT', '/api/limits/org?resource=search', two)).toMatchObject({
      status: 400,
      body: { field: 'resource' },
    })
  })

  test('with a schedule show which size holds, until when, and the next one', async () => {
    const { send, clock, rpm } = await withEntity()
    const schedule = [{ cron: '0 1 * * *', time_zone: 'UTC', duration_seconds: 3600, capacity: 600 }]
    const put = await send('PUT', '/api/limits/org', { body: { limits: [{ ...RPM, schedule }] } })
    const { limits } = asDescribed(put, limitsResponse)
    const midnight = Number(START / SECOND)
    const own = { entry: null, capacity: 10, refill_rate: 10 / 60 }
    const night = { entry: 0, capacity: 600, refill_rate: 10 }
    expect(limits.find(({ name }) => name === 'rpm')).toMatchObject({
      capacity: 10,
      schedule,
      schedule_state: {
        ...own,
        ends_at: midnight + 3600,
        next: { ...night, begins_at: midnight + 3600, ends_at: midnight + 7200 },
      },
    })
    clock.advance(3600n * SECOND)
    const state = {
      ...night,
      ends_at: midnight + 7200,
      next: { ...own, begins_at: midnight + 7200, ends_at: midnight + 90_000 },
    }
    expect((await rpm())?.schedule_state).toEqual(state)
    const explained = asDescribed(await send('GET', '/api/limits/org/explain'), explainResponse)
    expect(explained.limits.find(({ name }) => name === 'rpm')?.winner).toMatchObject({
      schedule_state: state,
    })
    const availability = await send('GET', '/api/dashboard/availability/org?resource=_default_')
    const available = asDescribed(availability, availabilityResponse).limits.find(
      ({ name }) => name === 'rpm',
    )
    expect(available).toMatchObject({ capacity: 600 })
    const check = await send('POST', '/v1/limits/check', {
      body: { cost: { requests: 100 } },
      headers: { ...ADMIN, 'x-zael-entity': 'org' },
    })
    expect(check).toMatchObject({
      status: 200,
      body: {
        limits: expect.arrayContaining([expect.objectContaining({ limit_name: 'rpm', available: 500 })]),
      },
    })
  })

  test('with a schedule can be sent as they are returned', async () => {
    const { send, rpm } = await withEntity()
    const schedule = [{ cron: '0 1 * * *', time_zone: 'UTC', duration_seconds: 3600, limit: 600 }]
    await send('PUT', '/api/limits/org', {
      body: { limits: [{ name: 'rpm', limit: 60, per: 'hour', schedule }] },
    })
    const { source: _, schedule_state: __, ...shown } = (await rpm()) ?? {}
    const put = asDescribed(
      await send('PUT', '/api/limits/org', { body: { limits: [shown] } }),
      limitsResponse,
    )
    expect(put.limits.find(({ name }) => name === 'rpm')).toMatchObject(shown)
  })

  test('list what each overrides', async () => {
    const { send } = await withEntity()
    await send('PUT', '/api/defaults', { body: { limits: [{ ...RPM, capacity: 99 }] } })
    await send('PUT', '/api/limits/org', { body: { limits: [RPM] } })
    const { limits } = asDescribed(await send('GET', '/api/limits/org/explain'), explainResponse)
    const explained = limits.find(({ name }) => name === 'rpm')
    expect(explained?.winner).toMatchObject({ capacity: 10, source: 'entity:_default_' })
    expect(explained?.overrides[0]).toMatchObject({ capacity: 99 })
  })

  test.each([
    ['limits', { limits: 'none' }],
    ['limits', {}],
    ['limits[0].capacity', { limits: [{ ...RPM, capacity: 1.5 }] }],
    ['limits[0].capacity', { limits: [{ name: 'rpm', refill_rate: 1 }] }],
    ['limits[0].refill_rate', { limits: [{ ...RPM, refill_rate: 0 }] }],
    ['limits[1].name', { limits: [RPM, RPM] }],
    ['limits[0].meter', { limits: [{ ...RPM, meter: 'cats' }] }],
    ['limits[0].algorithm', { limits: [{ ...RPM, algorithm: 'magic' }] }],
    ['limits[0].burst', { limits: [{ ...RPM, burst: 1 }] }],
    ['resource', { resource: 'a b', limits: [RPM] }],
    ['resuorce', { resuorce: 'gpt-4', limits: [RPM] }],
  ])('with an invalid %s are rejected, and nothing changes', async (field, body) => {
    const { send, inForce } = await withEntity()
    const before = await inForce()
    expect(await send('PUT', '/api/limits/org', { body })).toMatchObject({ status: 400, body: { field } })
    expect(await inForce()).toEqual(before)
  })

  test('of an unknown entity are not found', async () => {
    const { send } = createTestApp()
    for (const [method, path, body] of [
      ['GET', '/api/limits/nobody', undefined],
      ['GET', '/api/limits/nobody/explain', undefined],
      ['PUT', '/api/limits/nobody', { limits: [RPM] }],
      ['DELETE', '/api/limits/nobody', undefined],
      ['POST', '/api/limits/nobody/reset', {}],
      ['POST', '/api/limits/nobody/top-up', {}],
    ] as const) {
      expect({ path, status: (await send(method, path, { body })).status }).toEqual({ path, status: 404 })
    }
  })
})

describe('defaults', () => {
  test('of the system and of a role are kept apart', async () => {
    const { send, rpm } = await withEntity({ role: 'user' })
    const put = await send('PUT', '/api/defaults?role=user', { body: { limits: [{ ...RPM, capacity: 7 }] } })
    expect(asDescribed(put, defaultsResponse)).toMatchObject({ role: 'user', resource: '_default_' })
    const ofSystem = asDescribed(await send('GET', '/api/defaults'), defaultsResponse)
    expect(ofSystem.limits.map(({ source }) => source)).toEqual(['environment', 'environment'])
    expect(await rpm()).toMatchObject({ capacity: 7 })
    expect((await send('GET', '/api/defaults?role=user')).body).toEqual(put.body)
  })

  test('have the same source names as effective limits', async () => {
    const { send } = await withEntity({ role: 'user' })
    for (const search of ['resource=gpt-4', 'resource=gpt-4&role=user']) {
      const body = { limits: [{ ...RPM, capacity: 7 }] }
      const put = asDescribed(await send('PUT', `/api/defaults?${search}`, { body }), defaultsResponse)
      const inForce = asDescribed(await send('GET', '/api/limits/org?resource=gpt-4'), limitsResponse)
      expect(put.limits[0]?.source).toBe(inForce.limits.find(({ name }) => name === 'rpm')?.source)
    }
  })

  test('of the environment are shown if the system has none of that name', async () => {
    const { send } = createTestApp({
      settings: { defaultRpmLimit: 30, defaultTpmLimit: 900, windowSeconds: 30 },
    })
    const shown = async (search = '') =>
      asDescribed(await send('GET', `/api/defaults${search}`), defaultsResponse).limits.map(
        ({ name, capacity, source }) => [name, capacity, source],
      )
    const tpm = ['tpm', 900, 'environment']
    expect(await shown()).toEqual([['rpm', 30, 'environment'], tpm])
    const body = { limits: [{ ...RPM, capacity: 7 }] }
    expect((await send('PUT', '/api/defaults', { body })).body).toEqual(
      (await send('GET', '/api/defaults')).body,
    )
    expect(await shown()).toEqual([['rpm', 7, 'system:_default_'], tpm])
    for (const search of ['?resource=gpt-4', '?resource=_total_', '?role=user'])
      expect(await shown(search)).toEqual([])
    await send('PUT', '/api/defaults', { body: { limits: [] } })
    expect(await shown()).toEqual([['rpm', 30, 'environment'], tpm])
  })

  test('are what applies if nothing is set', async () => {
    const { send } = createTestApp({
      settings: { defaultRpmLimit: 30, defaultTpmLimit: 900, windowSeconds: 30 },
    })
    const set = (search: string, capacity: number) =>
      send('PUT', `/api/defaults${search}`, { body: { limits: [{ ...RPM, capacity }] } })
    await set('', 7)
    await set('?resource=gpt-4', 8)
    await set('?role=user', 9)
    await set('?role=user&resource=gpt-4', 10)
    const inherited = async (search: string) =>
      asDescribed(await send('GET', `/api/defaults${search}`), defaultsResponse).inherited.map(
        ({ name, capacity, source }) => [name, capacity, source],
      )
    const tpm = ['tpm', 900, 'environment']
    expect(await inherited('')).toEqual([['rpm', 30, 'environment'], tpm])
    expect(await inherited('?resource=gpt-4')).toEqual([['rpm', 7, 'system:_default_'], tpm])
    expect(await inherited('?role=user')).toEqual([['rpm', 7, 'system:_default_'], tpm])
    expect(await inherited('?role=user&resource=gpt-4')).toEqual([['rpm', 9, 'role:user:_default_'], tpm])
    expect(await inherited('?role=other&resource=gpt-4')).toEqual([['rpm', 8, 'system:gpt-4'], tpm])
    expect(await inherited('?resource=_total_')).toEqual([])
  })

  test('are rejected with an invalid role or field', async () => {
    const { send } = createTestApp()
    expect(await send('GET', '/api/defaults?role=a%20b')).toMatchObject({
      status: 400,
      body: { field: 'role' },
    })
    const body = { limits: [], resource: 'gpt-4' }
    expect(await send('PUT', '/api/defaults', { body })).toMatchObject({
      status: 400,
      body: { field: 'resource' },
    })
  })
})

describe('buckets', () => {
  const charged = async () => {
    const app = await withEntity()
    await app.send('PUT', '/api/limits/org', { body: { limits: [RPM] } })
    await app.deps.limiter.decide({ entityId: 'org', cost: { requests: 8 }, settles: false })
    const rpm = async (path: string, body: object) =>
      asDescribed(await app.send('POST', path, { body }), availabilityResponse).limits.find(
        ({ name }) => name === 'rpm',
      )
    return { ...app, rpm }
  }

  test('are full again after a reset', async () => {
    const { rpm } = await charged()
    expect(await rpm('/api/limits/org/reset', {})).toMatchObject({ available: 10, used: 0 })
  })

  test('have more for now after a top-up', async () => {
    const { rpm } = await charged()
    expect(await rpm('/api/limits/org/top-up', { limit_name: 'rpm', amount: 3 })).toMatchObject({
      available: 5,
    })
  })

  test('are full again in one limit only, if one is named, which voids earlier reservations', async () => {
    const { send, deps, rpm } = await charged()
    const charge = { entityId: 'org', cost: { tokens: 400 } }
    await deps.limiter.decide({ ...charge, settles: false })
    const held = await deps.limiter.decide({ entityId: 'org', cost: { requests: 1 }, settles: true })
    const body = { resource: '_default_', limit_name: 'rpm' }
    const after = asDescribed(await send('POST', '/api/limits/org/reset', { body }), availabilityResponse)
    const used = Object.fromEntries(after.limits.map(({ name, used }) => [name, used]))
    expect(used).toEqual({ rpm: 0, tpm: 400 })
    await deps.limiter.decide({ entityId: 'org', cost: { requests: 3 }, settles: false })
    if (held.allowed) await held.reservation.release()
    expect(await rpm('/api/limits/org/top-up', { limit_name: 'tpm' })).toMatchObject({ used: 3 })
  })

  test('of every resource are full again, or topped up, if none is named', async () => {
    const { send, deps } = await charged()
    await send('PUT', '/api/models/gpt-4', { body: {} })
    const cost = { requests: 8 }
    await deps.limiter.decide({ entityId: 'org', resource: 'gpt-4', cost, settles: false })
    const used = async (resource: string) =>
      (await deps.limiter.status('org', resource)).limits.find(({ limit }) => limit.name === 'rpm')?.used
    await send('POST', '/api/limits/org/top-up', { body: { limit_name: 'rpm', amount: 5 } })
    expect([await used('_default_'), await used('gpt-4')]).toEqual([3, 3])
    await send('POST', '/api/limits/org/top-up?resource=gpt-4', { body: { limit_name: 'rpm', amount: 1 } })
    expect([await used('_default_'), await used('gpt-4')]).toEqual([3, 2])
    await send('POST', '/api/limits/org/reset?resource=gpt-4')
    expect([await used('_default_'), await used('gpt-4')]).toEqual([3, 0])
    await send('POST', '/api/limits/org/reset')
    expect([await used('_default_'), await used('gpt-4')]).toEqual([0, 0])
  })

  test('are changed with an audit record, and only for existing limits', async () => {
    const { send } = await charged()
    await send('POST', '/api/limits/org/reset', { body: { resource: '_default_' } })
    await send('POST', '/api/limits/org/top-up', { body: { limit_name: 'rpm', amount: 2 } })
    const audit = await send('GET', '/api/audit?entity_id=org')
    expect(audit.body).toMatchObject({
      items: expect.arrayContaining([
        expect.objectContaining({
          action: 'bucket.top_up',
          after: { resource: null, limit_name: 'rpm', amount: 2 },
        }),
        expect.objectContaining({ action: 'bucket.reset', actor: 'admin', subject: 'org' }),
      ]),
    })
    await send('PUT', '/api/limits/org', { body: { resource: 'search', limits: [{ ...RPM, name: 'rph' }] } })
    expect(await send('POST', '/api/limits/org/reset', { body: { limit_name: 'rph' } })).toMatchObject({
      status: 200,
    })
    const unknown = await send('POST', '/api/limits/org/reset', { body: { limit_name: 'rps' } })
    expect(unknown).toMatchObject({ status: 400, body: { field: 'limit_name' } })
  })

  test.each([
    ['amount', { amount: 0 }],
    ['amount', { amount: 1.5 }],
    ['amount', { amount: 1e300 }],
    ['limit_name', { limit_name: 'RPM' }],
    ['limit', { limit: 'rpm' }],
  ])('reject a top-up with an invalid %s', async (field, body) => {
    const { send } = await withEntity()
    expect(await send('POST', '/api/limits/org/top-up', { body })).toMatchObject({
      status: 400,
      body: { field },
    })
  })
})
