import { describe, expect, test } from 'vitest'
import { dashboardEntitiesResponse, waitTimeResponse } from '../../../src/contract/dashboard.ts'
import { limitsResponse } from '../../../src/contract/limits.ts'
import { asDescribed } from '../as-described.ts'
import { VIEWER } from '../test-app.ts'
import { createCheckingApp, denied } from './checking-app.ts'

const PAUSED = { name: 'rpm', capacity: 0, refill_rate: 0 }

const TPM = { name: 'tpm', capacity: 1000, refill_rate: 1 }

const withPaused = async (...limits: readonly object[]) => {
  const app = await createCheckingApp()
  const put = await app.send('PUT', '/api/limits/key-bob', { body: { limits: [...limits, TPM] } })
  return { ...app, put }
}

describe.each([
  ['token bucket', PAUSED],
  ['token bucket per period', { name: 'rpm', limit: 0, per: 'minute' }],
  ['sliding window', { name: 'rpm', algorithm: 'sliding_window', limit: 0, window_seconds: 60 }],
  ['fixed window', { name: 'rpm', algorithm: 'fixed_window', limit: 0, window: 'day' }],
])('a paused %s', (_, limit) => {
  test('is shown with a capacity of 0', async () => {
    const { put } = await withPaused(limit)
    expect(asDescribed(put, limitsResponse).limits).toContainEqual(
      expect.objectContaining({ name: 'rpm', capacity: 0, meter: 'requests' }),
    )
  })

  test('denies every check that includes its meter, with no retry for clients', async () => {
    const { check, passes } = await withPaused(limit)
    for (const requests of [0, 1]) {
      const response = await check({ cost: { requests, tokens: 1 } })
      expect(denied(response)).toMatchObject({
        allowed: false,
        retry_after_seconds: null,
        violations: [
          { limit_name: 'rpm', capacity: 0, available: 0, requested: requests, retry_after_seconds: null },
        ],
      })
      expect(response.headers.get('x-should-retry')).toBe('false')
      expect(response.headers.get('retry-after')).toBeNull()
      expect(response.headers.get('retry-after-ms')).toBeNull()
    }
    expect((await passes({ cost: { tokens: 1 } })).allowed).toBe(true)
  })

  test('is fully used on the dashboard, and has no wait', async () => {
    const { send } = await withPaused(limit)
    const overview = await send('GET', '/api/dashboard/entities?q=key-bob', { headers: VIEWER })
    expect(asDescribed(overview, dashboardEntitiesResponse).entities[0]?.limits).toContainEqual({
      name: 'rpm',
      resource: '_default_',
      capacity: 0,
      available: 0,
      utilization_percent: 100,
    })
    const wait = await send('GET', '/api/dashboard/wait-time/key-bob?rpm=1')
    expect(asDescribed(wait, waitTimeResponse)).toMatchObject({ wait_seconds: null, limiting: 'rpm' })
  })
})

test('a limit is paused and resumed with its usual name, and keeps its window', async () => {
  const { send } = await createCheckingApp()
  const configure = (body: object) => send('POST', '/api/ratelimit/config/key-bob', { body })
  expect(await configure({ rpm_limit: 0 })).toMatchObject({
    status: 200,
    body: { config: { rpm_limit: 0, window_seconds: 60 } },
  })
  expect(await configure({ rpm_limit: 30 })).toMatchObject({
    status: 200,
    body: { config: { rpm_limit: 30, window_seconds: 60 } },
  })
})

test('defaults and policies can be paused', async () => {
  const { send, check } = await createCheckingApp()
  const paused = { name: 'itpm', capacity: 0, refill_rate: 0 }
  expect((await send('PUT', '/api/defaults', { body: { limits: [paused] } })).status).toBe(200)
  expect(denied(await check({ cost: { input_tokens: 1 } })).retry_after_seconds).toBeNull()
  await send('PUT', '/api/defaults', { body: { limits: [] } })

  const policy = { body: { limits: [{ name: 'all', limit: 0, per: 'hour' }] } }
  expect((await send('PUT', '/api/policies/GLOBAL/*', policy)).status).toBeLessThan(300)
  expect(denied(await check({})).violations).toMatchObject([{ entity_id: 'POLICY:GLOBAL:*', capacity: 0 }])
  const gateway = await send('POST', '/rate-limit/check', {
    body: { userId: 'u', modelId: 'gpt-4', tenantId: 't' },
  })
  expect(gateway.body).toMatchObject({
    allowed: false,
    cause: expect.stringContaining('GLOBAL exceeded: 1/0'),
    primary: { count: 1, limit: 0, percent: 100 },
  })
})
