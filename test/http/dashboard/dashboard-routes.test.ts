import { describe, expect, test } from 'vitest'
import {
  availabilityResponse,
  dashboardEntitiesResponse,
  waitTimeResponse,
} from '../../../src/contract/dashboard.ts'
import { asDescribed } from '../as-described.ts'
import { createTestApp, VIEWER } from '../test-app.ts'

const withBob = async () => {
  const app = createTestApp()
  await app.send('POST', '/api/entities', { body: { entity_id: 'org', name: 'Org' } })
  await app.send('POST', '/api/entities', { body: { entity_id: 'bob', name: 'Bob', parent_id: 'org' } })
  const limits = [
    { name: 'rpm', capacity: 10, refill_rate: 1 },
    { name: 'tpm', capacity: 1000, refill_rate: 100 },
  ]
  await app.send('PUT', '/api/limits/bob', { body: { limits } })
  await app.deps.limiter.decide({ entityId: 'bob', cost: { requests: 4, tokens: 1000 }, settles: false })
  return app
}

describe('the dashboard', () => {
  test('lists entities with what each has available, for a viewer too', async () => {
    const { send } = await withBob()
    const response = await send('GET', '/api/dashboard/entities', { headers: VIEWER })
    const { entities, next_cursor } = asDescribed(response, dashboardEntitiesResponse)
    expect(next_cursor).toBeNull()
    expect(entities[0]).toEqual({
      entity_id: 'bob',
      name: 'Bob',
      parent_id: 'org',
      limits: [
        { name: 'rpm', resource: '_default_', capacity: 10, available: 6, utilization_percent: 40 },
        { name: 'tpm', resource: '_default_', capacity: 1000, available: 0, utilization_percent: 100 },
      ],
    })
    expect(entities[1]).toMatchObject({ entity_id: 'org', parent_id: null })
  })

  test('is paged and searchable', async () => {
    const { send } = await withBob()
    const first = asDescribed(await send('GET', '/api/dashboard/entities?limit=1'), dashboardEntitiesResponse)
    expect(first.next_cursor).not.toBeNull()
    const found = asDescribed(await send('GET', '/api/dashboard/entities?q=ORG'), dashboardEntitiesResponse)
    expect(found.entities.map(({ entity_id }) => entity_id)).toEqual(['org'])
  })

  test('shows what one entity has available', async () => {
    const { send } = await withBob()
    const { limits } = asDescribed(await send('GET', '/api/dashboard/availability/bob'), availabilityResponse)
    expect(limits[0]).toMatchObject({ name: 'rpm', available: 6, used: 4, reset_after_seconds: 4 })
    expect((await send('GET', '/api/dashboard/availability/nobody')).status).toBe(404)
  })

  test('shows what parents and policies have available as well, for a viewer too', async () => {
    const { send, deps } = await withBob()
    const org = { limits: [{ name: 'rpm', capacity: 100, refill_rate: 1 }] }
    await send('PUT', '/api/limits/org', { body: org })
    await send('PUT', '/api/policies/API_KEY/bob', { body: org })
    await deps.limiter.decide({ entityId: 'bob', cost: { requests: 1 }, settles: false })
    const path = '/api/dashboard/availability/bob?resource=_default_'
    const { also_enforced } = asDescribed(await send('GET', path, { headers: VIEWER }), availabilityResponse)
    expect(also_enforced).toMatchObject([
      { entity_id: 'org', limits: [{ name: 'rpm', available: 99 }] },
      { entity_id: 'POLICY:API_KEY:bob', limits: [{ name: 'rpm', available: 99 }] },
    ])
  })

  test('marks only amounts of money', async () => {
    const { send } = await withBob()
    const limits = [
      { name: 'rpm', capacity: 10, refill_rate: 1 },
      {
        name: 'budget',
        meter: 'cost_usd_micros',
        algorithm: 'fixed_window',
        limit: 5_000_000_000,
        window: 'day',
      },
    ]
    await send('PUT', '/api/limits/bob', { body: { limits } })
    const { entities } = asDescribed(await send('GET', '/api/dashboard/entities'), dashboardEntitiesResponse)
    expect(entities[0]?.limits.map(({ name, meter }) => [name, meter])).toMatchObject([
      ['rpm', undefined],
      ['budget', 'cost_usd_micros'],
      ['tpm', undefined],
    ])
  })

  test.each([
    ['', 0, null],
    ['?rpm=8', 2, 'rpm'],
    ['?rpm=1&tpm=500', 5, 'tpm'],
    ['?rpm=8&tpm=500', 5, 'tpm'],
    ['?tpm=1001', null, 'tpm'],
  ])('returns the wait for %s', async (search, wait_seconds, limiting) => {
    const { send } = await withBob()
    const response = asDescribed(await send('GET', `/api/dashboard/wait-time/bob${search}`), waitTimeResponse)
    expect(response).toEqual({ entity_id: 'bob', wait_seconds, limiting })
  })

  test.each(['rpm=-1', 'tpm=many', 'rpm=1.5', 'resource=a%20b'])('rejects ?%s', async (search) => {
    const { send } = await withBob()
    const { status, body } = await send('GET', `/api/dashboard/wait-time/bob?${search}`)
    expect({ status, body }).toMatchObject({ status: 400, body: { field: search.split('=')[0] } })
  })
})
