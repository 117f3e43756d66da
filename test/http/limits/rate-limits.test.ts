import { describe, expect, test } from 'vitest'
import { limitsResponse } from '../../../src/contract/limits.ts'
import { rateLimitStatsResponse, rateLimitStatusResponse } from '../../../src/contract/rate-limit.ts'
import { asDescribed } from '../as-described.ts'
import { createTestApp, VIEWER } from '../test-app.ts'

const withKey = async (settings = {}) => {
  const app = createTestApp({ settings })
  await app.send('POST', '/api/entities', { body: { entity_id: 'sk-test-tier-a', name: 'A' } })
  const status = async () =>
    asDescribed(await app.send('GET', '/api/ratelimit/status/sk-test-tier-a'), rateLimitStatusResponse)
  const configure = async (body: object) =>
    asDescribed(
      await app.send('POST', '/api/ratelimit/config/sk-test-tier-a', { body }),
      rateLimitStatusResponse,
    )
  const stats = async () => asDescribed(await app.send('GET', '/api/ratelimit/stats'), rateLimitStatsResponse)
  const limits = async () =>
    asDescribed(await app.send('GET', '/api/limits/sk-test-tier-a'), limitsResponse).limits
  const use = (requests: number, tokens: number) =>
    app.deps.limiter.decide({ entityId: 'sk-test-tier-a', cost: { requests, tokens }, settles: false })
  return { ...app, status, configure, stats, limits, use }
}

describe('the status of a key', () => {
  test('masks it, and shows what is available and its limits', async () => {
    const { status, use } = await withKey()
    await use(3, 500)
    expect(await status()).toEqual({
      api_key: 'sk-test-...',
      status: {
        resource: '_default_',
        requests: { limit: 60, used: 3, remaining: 57, reset_after_seconds: 3 },
        tokens: { limit: 10_000, used: 500, remaining: 9500, reset_after_seconds: 3 },
      },
      config: { tpm_limit: 10_000, rpm_limit: 60, window_seconds: 60, enabled: true },
    })
  })

  test('shows the bucket that has the least available', async () => {
    const { send, status, deps } = await withKey()
    await send('PUT', '/api/models/gpt-4', { body: {} })
    const request = { entityId: 'sk-test-tier-a', resource: 'gpt-4', cost: { requests: 30 }, settles: false }
    await deps.limiter.decide(request)
    expect((await status()).status).toMatchObject({ resource: 'gpt-4', requests: { remaining: 30 } })
  })

  test('shows windows as well, and null without limits', async () => {
    const { send, status } = await withKey()
    await send('PUT', '/api/limits/sk-test-tier-a', {
      body: { limits: [{ name: 'rpm', algorithm: 'sliding_window', limit: 7, window_seconds: 120 }] },
    })
    expect(await status()).toMatchObject({
      status: { requests: { limit: 7 } },
      config: { rpm_limit: 7, window_seconds: 120 },
    })
  })

  test('is for admins and viewers', async () => {
    const { send } = await withKey()
    for (const path of ['status/sk-test-tier-a', 'stats'])
      expect((await send('GET', `/api/ratelimit/${path}`, { headers: VIEWER })).status).toBe(200)
    for (const path of ['config/sk-test-tier-a', 'reset/sk-test-tier-a'])
      expect((await send('POST', `/api/ratelimit/${path}`, { headers: VIEWER, body: {} })).status).toBe(403)
  })

  test('is not found for an unknown key', async () => {
    const { send } = await withKey()
    for (const [method, path] of [
      ['GET', 'status'],
      ['POST', 'config'],
      ['POST', 'reset'],
    ] as const) {
      const body = path === 'config' ? { body: { enabled: true } } : {}
      expect((await send(method, `/api/ratelimit/${path}/nobody`, body)).status).toBe(404)
    }
  })
})

describe('the configuration of a key', () => {
  test('sets its limits, which apply at once', async () => {
    const { configure, limits, use, status } = await withKey()
    const body = { tpm_limit: 2000, rpm_limit: 4, window_seconds: 20, enabled: true }
    await configure({ rpm_limit: 7, window_seconds: 60 })
    expect((await status()).config).toMatchObject({ rpm_limit: 7, window_seconds: 60 })
    expect((await configure(body)).config).toEqual(body)
    expect(await limits()).toEqual([
      expect.objectContaining({ name: 'rpm', capacity: 4, refill_rate: 0.2, source: 'entity:_default_' }),
      expect.objectContaining({ name: 'tpm', capacity: 2000, refill_rate: 100, source: 'entity:_default_' }),
    ])
    expect((await use(5, 0)).allowed).toBe(false)
  })

  test('keeps omitted limits, and limits of other names', async () => {
    const { send, configure, limits } = await withKey()
    const daily = { name: 'rpd', algorithm: 'fixed_window', limit: 100, window: 'day' }
    await send('PUT', '/api/limits/sk-test-tier-a', { body: { limits: [daily] } })
    expect((await configure({ rpm_limit: 5 })).config).toMatchObject({ rpm_limit: 5, window_seconds: 60 })
    expect(await limits()).toEqual([
      expect.objectContaining({ name: 'rpd', limit: 100 }),
      expect.objectContaining({ name: 'rpm', capacity: 5, source: 'entity:_default_' }),
      expect.objectContaining({ name: 'tpm', capacity: 10_000, source: 'environment' }),
    ])
  })

  test('that is not enabled counts and does not limit', async () => {
    const { configure, limits, use, send, status } = await withKey()
    const before = await limits()
    expect((await configure({ enabled: false })).config.enabled).toBe(false)
    expect((await use(1000, 0)).allowed).toBe(true)
    expect(await limits()).toEqual(before)
    expect((await send('GET', '/api/entities/sk-test-tier-a')).body).toMatchObject({ bypass: true })
    await configure({ enabled: true })
    expect((await status()).config.enabled).toBe(true)
    expect((await use(1000, 0)).allowed).toBe(false)
  })

  test('is changed with an audit record', async () => {
    const { configure, send } = await withKey()
    await configure({ rpm_limit: 5, enabled: false })
    await configure({})
    await configure({ enabled: false })
    const { body } = await send('GET', '/api/audit?entity_id=sk-test-tier-a')
    const { items } = body as { readonly items: readonly { readonly action: string }[] }
    const actions = items.map(({ action }) => action)
    expect(actions.toSorted()).toEqual(['entity.change', 'entity.create', 'limits.replace'])
  })

  test.each([
    ['rpm_limit', { rpm_limit: -1 }],
    ['rpm_limit', { rpm_limit: 1.5 }],
    ['tpm_limit', { tpm_limit: null }],
    ['tpm_limit', { tpm_limit: 700_000_000, window_seconds: 60 }],
    ['window_seconds', { window_seconds: -1 }],
    ['window_seconds', { window_seconds: 10 ** 9 }],
    ['enabled', { enabled: 'no' }],
    ['limit', { limit: 5 }],
  ])('with an invalid %s is rejected, and nothing changes', async (field, body) => {
    const { send, status } = await withKey()
    const before = await status()
    const sent = { enabled: false, ...body }
    expect(await send('POST', '/api/ratelimit/config/sk-test-tier-a', { body: sent })).toMatchObject({
      status: 400,
      body: { field },
    })
    expect(await status()).toEqual(before)
  })
})

describe('the reset of a key', () => {
  test('makes every bucket full again, without a body', async () => {
    const { send, use, status } = await withKey()
    await use(50, 5000)
    const response = await send('POST', '/api/ratelimit/reset/sk-test-tier-a')
    expect(asDescribed(response, rateLimitStatusResponse).status).toMatchObject({
      requests: { used: 0, remaining: 60 },
      tokens: { used: 0 },
    })
    expect(await status()).toEqual(response.body)
  })
})

describe('the counts of keys', () => {
  test('include keys with use, with own limits, and with something in use', async () => {
    const { send, stats, use, configure, clock, deps } = await withKey()
    for (const entity_id of ['idle', 'limited'])
      await send('POST', '/api/entities', { body: { entity_id, name: entity_id } })
    await send('PUT', '/api/limits/limited', {
      body: { resource: 'search', limits: [{ name: 'rpm', capacity: 5, refill_rate: 1 }] },
    })
    const none = { total_tracked_keys: 0, active_keys: 0 }
    expect(await stats()).toMatchObject({ ...none, total_configured_keys: 1 })
    await configure({ tpm_limit: 100 })
    await use(1, 0)
    await deps.limiter.flush({ all: true })
    expect(await stats()).toMatchObject({
      total_tracked_keys: 1,
      total_configured_keys: 2,
      active_keys: 1,
    })
    clock.advance(60_000_000_000n)
    expect(await stats()).toMatchObject({ total_tracked_keys: 1, active_keys: 0 })
  })

  test('have the defaults of the settings, overridden by those in the table', async () => {
    const { send, stats } = await withKey({ rateLimitingEnabled: false, windowSeconds: 30 })
    expect((await stats()).default_config).toEqual({
      tpm_limit: 10_000,
      rpm_limit: 60,
      window_seconds: 30,
      enabled: false,
    })
    const limits = [{ name: 'rpm', capacity: 120, refill_rate: 1 }]
    await send('PUT', '/api/defaults', { body: { limits } })
    expect((await stats()).default_config).toMatchObject({
      tpm_limit: 10_000,
      rpm_limit: 120,
      window_seconds: 120,
    })
  })

  test('show null without a default', async () => {
    const { stats } = await withKey({ defaultTpmLimit: null, windowSeconds: 30 })
    expect((await stats()).default_config).toMatchObject({ tpm_limit: null, rpm_limit: 60 })
  })
})
