import { describe, expect, test } from 'vitest'
import { ownLimitsResponse } from '../../../src/contract/checks.ts'
import { usageResponse } from '../../../src/contract/history.ts'
import type { BucketStore } from '../../../src/core/bucket/bucket-store.ts'
import { StoreUnavailable } from '../../../src/core/model/errors.ts'
import type { UsagePoint, UsageQuery } from '../../../src/core/model/usage.ts'
import { createMemoryBucketStore } from '../../../src/store/memory/bucket-store.ts'
import { createTestClock, SECOND } from '../../core/test-clock.ts'
import { asDescribed } from '../as-described.ts'
import { ADMIN_FOR_BOB, ALICE, BOB, createCheckingApp } from '../limit-checks/checking-app.ts'
import { ADMIN, VIEWER } from '../test-app.ts'

const LIMITS = '/v1/limits'

const USAGE = '/v1/usage'

/** An app on buckets whose reads are counted, and which can be made unavailable. */
const createOwnApp = async () => {
  const [clock, memory] = [createTestClock(), createMemoryBucketStore()]
  const state = { reads: 0, isUnavailable: false }
  const buckets: BucketStore = {
    ...memory,
    read(id) {
      state.reads++
      return state.isUnavailable
        ? Promise.reject(new StoreUnavailable('away', { mayHaveApplied: false }))
        : memory.read(id)
    },
  }
  const asked: UsageQuery[] = []
  const point: UsagePoint = {
    start: 1_800_000_000,
    resource: 'gpt-4',
    used: { requests: 3, tokens: 30, input_tokens: 20, output_tokens: 10, cost_usd_micros: 5 },
    denied: 1,
  }
  const usage = {
    usage: async (query: UsageQuery) => {
      asked.push(query)
      return [point]
    },
  }
  const app = await createCheckingApp({ table: { buckets, clock }, usage })
  const limits = async (query = '', headers = BOB) =>
    asDescribed(await app.send('GET', `${LIMITS}${query}`, { headers }), ownLimitsResponse)
  return { ...app, clock, limits, state, asked }
}

describe('own limits', () => {
  test('are those of a check, and are not charged', async () => {
    const app = await createOwnApp()
    const policy = [{ name: 'rpd', algorithm: 'fixed_window', limit: 9, window: 'day' }]
    await app.send('PUT', '/api/policies/USER/*', { body: { limits: policy } })
    const checked = await app.passes({ resource: 'gpt-4', user: 'ann', cost: { requests: 2, tokens: 30 } })
    const own = await app.limits('?resource=gpt-4&user=ann')
    expect(own).toEqual({ entity_id: 'key-bob', resource: 'gpt-4', limits: checked.limits })
    expect(own.limits.map(({ entity_id, available }) => [entity_id, available])).toEqual([
      ['key-bob', 8],
      ['key-bob', 970],
      ['POLICY:USER:*', 7],
    ])
    app.clock.advance(2n * SECOND)
    expect((await app.limits('?resource=gpt-4&user=ann')).limits.map(({ available }) => available)).toEqual([
      8, 970, 7,
    ])
    expect(await app.limits()).toMatchObject({ resource: '_default_', limits: [{ available: 10 }, {}, {}] })
  })

  test('are those of the user and the session of the headers', async () => {
    const app = await createOwnApp()
    const policy = [{ name: 'calls', algorithm: 'fixed_window', limit: 5, window: 'day' }]
    await app.send('PUT', '/api/policies/SESSION/*', { body: { limits: policy } })
    await app.passes({ session: 'a run' })
    const left = async (headers = {}) =>
      (await app.limits('', { ...BOB, ...headers })).limits.find(({ limit_name }) => limit_name === 'calls')
    expect(await left({ 'x-session-id': 'a run' })).toMatchObject({ available: 4 })
    expect(await left()).toMatchObject({ available: 5 })
  })

  test('state the meter of money, whose amounts are micro-dollars', async () => {
    const app = await createOwnApp()
    const budget = {
      name: 'usd',
      meter: 'cost_usd_micros',
      algorithm: 'fixed_window',
      limit: 5e6,
      window: 'day',
    }
    await app.send('PUT', '/api/limits/key-bob', { body: { limits: [budget] } })
    const { limits } = await app.limits()
    expect(limits.map(({ limit_name, meter }) => [limit_name, meter])).toEqual(
      expect.arrayContaining([['usd', 'cost_usd_micros']]),
    )
    expect(limits.find(({ limit_name }) => limit_name === 'rpm')).not.toHaveProperty('meter')
  })

  test('show at once what was used since the last response', async () => {
    const app = await createOwnApp()
    const used = async () =>
      (await app.limits()).limits.find(
        ({ entity_id, limit_name }) => `${entity_id} ${limit_name}` === 'key-bob rpm',
      )?.used
    expect(await used()).toBe(0)
    await app.passes({ cost: { requests: 4 } })
    expect(await used()).toBe(4)
  })

  test('are read once per second after 30 reads in a minute, whoever polls', async () => {
    const app = await createOwnApp()
    await app.limits()
    const once = app.state.reads
    for (let n = 1; n < 30; n++) await app.limits()
    expect(app.state.reads).toBe(30 * once)
    await Promise.all(Array.from({ length: 200 }, () => app.limits()))
    expect(app.state.reads).toBe(30 * once)
    app.clock.advance(2n * SECOND)
    await app.limits()
    expect(app.state.reads).toBe(31 * once)
  })

  test('are bounded for a caller who varies the question, and not for others', async () => {
    const app = await createOwnApp()
    const ask = (n: number, headers = BOB) => app.send('GET', `${LIMITS}?user=u${n}`, { headers })
    // names select nothing where no policy on users exists, but each is a question of its own
    for (let n = 0; n < 120; n++) expect((await ask(n)).status).toBe(200)
    const denied = await ask(120)
    expect(denied).toMatchObject({ status: 429, body: { error: { code: 'rate_limit_exceeded' } } })
    expect(denied.headers.get('retry-after')).not.toBeNull()
    expect((await ask(120, ALICE)).status).toBe(200)
    app.clock.advance(61n * SECOND)
    expect((await ask(120)).status).toBe(200)
  })

  test('are shown to an administrator or a viewer who names the entity', async () => {
    const app = await createOwnApp()
    await app.passes({ cost: { requests: 4 } })
    expect(await app.limits('', ADMIN_FOR_BOB)).toEqual(await app.limits())
    expect(await app.limits('', { ...VIEWER, 'x-zael-entity': 'key-bob' })).toEqual(await app.limits())
    for (const path of [LIMITS, USAGE]) {
      expect(await app.send('GET', path, { headers: ADMIN })).toMatchObject({
        status: 400,
        body: { error: { type: 'invalid_request_error', param: 'X-Zael-Entity' } },
      })
      const unknown = await app.send('GET', path, { headers: { ...ADMIN, 'x-zael-entity': 'nobody' } })
      expect(unknown).toMatchObject({ status: 404, body: { error: { message: expect.any(String) } } })
    }
  })

  test.each([
    [400, '?resource=_total_', 'resource'],
    [400, '?resource=a%23b', 'resource'],
    [400, '?user=', 'user'],
    [403, '?resource=tiny-model', null],
  ])('are %s for %s, in the form of OpenAI', async (status, query, param) => {
    const app = await createOwnApp()
    await app.send('PATCH', '/api/entities/key-bob', { body: { models: ['gpt-4'] } })
    expect(await app.send('GET', `${LIMITS}${query}`, { headers: BOB })).toMatchObject({
      status,
      body: { error: { message: expect.any(String), param } },
    })
  })

  test('are 401 without a key, and 503 while the table is unavailable', async () => {
    const app = await createOwnApp()
    const none = await app.send('GET', LIMITS, { headers: { authorization: '' } })
    expect(none).toMatchObject({ status: 401, body: { error: { code: 'invalid_api_key' } } })
    app.state.isUnavailable = true
    const away = await app.send('GET', LIMITS, { headers: BOB })
    expect(away).toMatchObject({ status: 503, body: { error: { message: expect.any(String) } } })
  })
})

describe('own usage', () => {
  const usageOf = async (app: Awaited<ReturnType<typeof createOwnApp>>, query = '') =>
    asDescribed(await app.send('GET', `${USAGE}${query}`, { headers: BOB }), usageResponse)

  test('is that of the caller', async () => {
    const app = await createOwnApp()
    expect(await usageOf(app, '?granularity=day&resource=gpt-4')).toEqual({
      entity_id: 'key-bob',
      points: [
        expect.objectContaining({
          start: 1_800_000_000,
          resource: 'gpt-4',
          requests: 3,
          tokens: 30,
          denied: 1,
        }),
      ],
    })
    expect(app.asked).toMatchObject([{ entityId: 'key-bob', resource: 'gpt-4', granularity: 'day' }])
  })

  test('is read once in ten seconds', async () => {
    const app = await createOwnApp()
    for (const _ of [1, 2, 3]) await usageOf(app)
    expect(app.asked).toHaveLength(1)
    app.clock.advance(11n * SECOND)
    await usageOf(app)
    expect(app.asked).toHaveLength(2)
  })

  test.each([
    '?from=0',
    '?granularity=year',
    '?from=9&to=5',
    '?granularity=day&from=1700000000&to=1710000000',
  ])('is rejected for %s', async (query) => {
    const app = await createOwnApp()
    const rejected = await app.send('GET', `${USAGE}${query}`, { headers: BOB })
    expect(rejected).toMatchObject({ status: 400, body: { error: { type: 'invalid_request_error' } } })
    expect(app.asked).toEqual([])
  })
})
