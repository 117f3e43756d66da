import { describe, expect, test } from 'vitest'
import { StoreUnavailable } from '../../../src/core/model/errors.ts'
import { createMemoryBucketStore } from '../../../src/store/memory/bucket-store.ts'
import { createTestClock } from '../../core/test-clock.ts'
import { aModel } from '../../store/store-fixtures.ts'
import { createTestAdminStore } from '../test-admin-store.ts'
import { createMemoryWorld, createPolicyWorld } from './policy-world.ts'

const CHECK = { userId: 'ann', modelId: 'gpt-4', tenantId: 'acme' }

const SECOND = 1_000_000_000n

const post = { method: 'POST', path: '/rate-limit/check' } as const

describe('POST /rate-limit/check', () => {
  test('requires the admin token, because it charges any subject', async () => {
    const { send } = await createMemoryWorld()
    const statusFor = async (authorization: string) =>
      (await send(post.method, post.path, { headers: { authorization }, body: CHECK })).status
    expect(await statusFor('')).toBe(401)
    expect(await statusFor('Bearer nobody')).toBe(401)
    expect(await statusFor('Bearer key-bob')).toBe(403)
    expect(await statusFor('Bearer the-viewer-token')).toBe(403)
    expect(await statusFor('Bearer the-admin-token')).toBe(200)
  })

  test.each([
    ['userId', { ...CHECK, userId: '' }],
    ['userId', { modelId: 'gpt-4', tenantId: 'acme' }],
    ['tenantId', { ...CHECK, tenantId: 'a#b' }],
    ['modelId', { ...CHECK, modelId: 'gpt-9' }],
    ['modelId', { ...CHECK, modelId: 'a#b' }],
    ['modelTier', { ...CHECK, modelTier: 'platinum' }],
    ['apiKey', { ...CHECK, apiKey: 'a b' }],
    ['apikey', { ...CHECK, apikey: 'free-co-key' }],
  ])('rejects an invalid %s', async (field, body) => {
    const { send } = await createMemoryWorld()
    expect(await send(post.method, post.path, { body })).toMatchObject({ status: 400, body: { field } })
  })

  test('lists known models and tiers, including those just registered on another node', async () => {
    const { send, store, check, clock } = await createMemoryWorld()
    expect(await send(post.method, post.path, { body: { ...CHECK, modelId: 'gpt-9' } })).toMatchObject({
      body: {
        message: 'modelId must be a registered model: gpt-3.5-turbo, gpt-4, gpt-4o, gpt-4o-mini, tiny-model',
      },
    })
    expect(await send(post.method, post.path, { body: { ...CHECK, modelTier: 'platinum' } })).toMatchObject({
      body: { message: 'modelTier must be the tier of a registered model: free, premium, standard' },
    })
    clock.advance(SECOND)
    expect((await check({ ...CHECK, modelTier: 'free' })).allowed).toBe(true)
    clock.advance(SECOND)
    const audit = { id: 'a', at: 1n, actor: 'a', action: 'a', subject: 'a', before: null, after: null }
    await store.putModel(aModel({ id: 'gpt-9', tier: 'platinum' }), audit)
    expect((await check({ ...CHECK, modelTier: 'platinum' })).allowed).toBe(true)
  })

  test('lists limits on requests in flight, of which it requires a free slot and takes none', async () => {
    const { send, check, clock } = await createMemoryWorld()
    const limits = [{ name: 'parallel', algorithm: 'concurrency', limit: 1 }]
    expect((await send('PUT', '/api/policies/TENANT/acme', { body: { limits } })).status).toBe(201)
    clock.advance(SECOND)
    for (let times = 0; times < 2; times++)
      expect(await check(CHECK)).toMatchObject({
        allowed: true,
        primary: { label: 'TENANT acme', count: 0, limit: 1, percent: 0 },
        policies: [{ label: 'TENANT acme' }, { label: 'MODEL_TIER premium' }, { label: 'GLOBAL *' }],
      })
  })

  test("reads the list of models once for many checks with a tier other than the model's", async () => {
    const { store, checks } = await createMemoryWorld()
    await checks(5, { ...CHECK, modelTier: 'free' })
    expect(store.calls.get('listModels')).toBe(1)
    await checks(2, CHECK)
    expect(store.calls.get('listModels')).toBe(1)
  })

  test('uses the given tier, else that of the model', async () => {
    const { check } = await createMemoryWorld()
    const tiers = async (modelTier: string | null | undefined) =>
      (await check({ ...CHECK, ...(modelTier !== undefined && { modelTier }) })).policies.map(
        ({ label }) => label,
      )
    expect(await tiers('free')).toEqual(['MODEL_TIER free', 'GLOBAL *'])
    expect(await tiers(null)).toEqual(['MODEL_TIER premium', 'GLOBAL *'])
    expect(await tiers(undefined)).toEqual(['MODEL_TIER premium', 'GLOBAL *'])
  })

  test('allows if no policy applies', async () => {
    const { send, check } = await createMemoryWorld()
    await send('DELETE', '/api/policies/GLOBAL/*')
    await send('PUT', '/api/models/plain', { body: {} })
    expect(await check({ ...CHECK, modelId: 'plain' })).toEqual({
      allowed: true,
      cause: null,
      primary: null,
      policies: [],
    })
  })

  test('admits and counts nothing if the limiter is bypassed', async () => {
    const body = { ...CHECK, modelTier: 'free' }
    for (const options of [
      { settings: { bypassLimiter: true } },
      { limiterSettings: { isEnabled: false } },
    ]) {
      const { checks } = await createMemoryWorld(options)
      const responses = await checks(11, body)
      expect(responses[10]).toEqual({ allowed: true, cause: null, primary: null, policies: [] })
    }
  })

  test('returns the limit and the period of each algorithm', async () => {
    const { send, check, checks } = await createMemoryWorld()
    const put = (scope: string, limit: object) =>
      send('PUT', `/api/policies/${scope}`, { body: { limits: [{ name: 'rph', ...limit }] } })
    await put('TENANT/acme', { capacity: 2, refill_rate: 2 / 3600 })
    await put('MODEL/gpt-4', { algorithm: 'fixed_window', limit: 2, window: 'day' })
    await checks(2, CHECK)
    expect((await check(CHECK)).cause).toBe(
      'TENANT exceeded: 3/2 per 3600 seconds (key=TENANT:acme); also violated: MODEL (3/2)',
    )
    await send('DELETE', '/api/policies/TENANT/acme')
    expect((await check(CHECK)).cause).toBe('MODEL exceeded: 3/2 in the current day (key=MODEL:gpt-4)')
  })

  test('lists every request limit of a policy, the fullest first, and none that only warns', async () => {
    const { send, check } = await createMemoryWorld()
    const window = (name: string, limit: number, window_seconds: number, rest = {}) => ({
      name,
      meter: 'requests',
      algorithm: 'sliding_window',
      limit,
      window_seconds,
      ...rest,
    })
    const limits = [
      window('hourly', 100, 3600),
      window('quick', 4, 90),
      window('tried', 1, 60, { mode: 'shadow' }),
      { name: 'tpm', capacity: 1, refill_rate: 1 },
    ]
    await send('PUT', '/api/policies/TENANT/acme', { body: { limits } })
    const { primary, policies } = await check(CHECK)
    expect(primary).toEqual({ label: 'TENANT acme', count: 1, limit: 4, window_seconds: 90, percent: 25 })
    expect(policies.map(({ label, limit, window_minutes }) => [label, limit, window_minutes])).toEqual([
      ['TENANT acme', 4, 1.5],
      ['TENANT acme', 100, 60],
      ['MODEL_TIER premium', 1000, 60],
      ['GLOBAL *', 1_000_000, 60],
    ])
    expect((await check(CHECK)).allowed).toBe(true)
  })

  test('counts again after the window has moved on', async () => {
    const { checks, check, clock } = await createMemoryWorld()
    const body = { ...CHECK, modelTier: 'free' }
    expect((await checks(11, body))[10]?.allowed).toBe(false)
    clock.advance(3600n * SECOND + 240n * SECOND)
    expect(await check(body)).toMatchObject({ allowed: true, primary: { count: 1 } })
  })

  test('returns 503 if the table is unavailable, and marks the response if limits allow', async () => {
    const [clock, store, buckets] = [createTestClock(), createTestAdminStore(), createMemoryBucketStore()]
    let isUnavailable = true
    const write: typeof buckets.write = async (id, change) => {
      if (isUnavailable) throw new StoreUnavailable('away', { mayHaveApplied: false })
      return buckets.write(id, change)
    }
    const { send, check } = await createPolicyWorld({ store, clock, buckets: { ...buckets, write } })
    expect(await send(post.method, post.path, { body: CHECK })).toMatchObject({
      status: 503,
      body: { error: 'unavailable' },
    })
    isUnavailable = false
    for (const path of ['MODEL_TIER/premium', 'GLOBAL/*']) {
      const limits = [{ name: 'rph', capacity: 5, refill_rate: 1, on_unavailable: 'allow' }]
      await send('PUT', `/api/policies/${path}`, { body: { limits } })
    }
    isUnavailable = true
    expect(await check(CHECK)).toMatchObject({ allowed: true, degraded: true })
    const { headers } = await send(post.method, post.path, { body: CHECK })
    expect(headers.get('x-zael-degraded')).toBe('true')
  })
})
