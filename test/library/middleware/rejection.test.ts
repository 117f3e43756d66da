import { describe, expect, test } from 'vitest'
import { createRateLimiter, rateLimitHeaders, rejection, silentLogger } from '../../../src/library/index.ts'
import { createTestClock } from '../../core/test-clock.ts'
import { unavailableStore, untyped } from './test-app.ts'

const createLimiter = (capacity = 1) =>
  createRateLimiter({
    limits: [{ name: 'rps', capacity, refill_rate: 0.1 }],
    clock: createTestClock(),
    logger: silentLogger,
  })

describe('rateLimitHeaders()', () => {
  test('describes an allowed decision', async () => {
    expect(rateLimitHeaders(await createLimiter(5).check('bob'))).toEqual({
      ratelimit: '"rps";r=4',
      'ratelimit-policy': '"rps";q=5;w=50',
    })
  })

  test('describes a reservation, in the given forms', async () => {
    const reservation = await createLimiter(5).reserve('bob', { cost: { requests: 2 } })
    expect(rateLimitHeaders(reservation, { headers: ['x-ratelimit'] })).toEqual({
      'x-ratelimit-limit': '5',
      'x-ratelimit-remaining': '3',
      'x-ratelimit-reset': '20',
    })
    expect(
      rateLimitHeaders(reservation, { headers: ['x-ratelimit'], resetFormat: 'iso' })['x-ratelimit-reset'],
    ).toMatch(/^\d{4}-\d\d-\d\dT.*Z$/)
  })

  test('rejects what is no decision, and unknown forms', async () => {
    const decision = await createLimiter().check('bob')
    expect(() => rateLimitHeaders({ ...decision })).toThrow(/^decision must be .*, not a copy$/)
    expect(() => rateLimitHeaders(untyped(undefined))).toThrow(TypeError)
    expect(() => rejection(untyped(null))).toThrow(TypeError)
    expect(() => rateLimitHeaders(decision, { headers: untyped(['x']) })).toThrow(
      /headers\[0\] must be one of/,
    )
    expect(() => rateLimitHeaders(decision, untyped({ header: ['ietf'] }))).toThrow(
      /^header must not be given; known options are headers, resetFormat$/,
    )
  })
})

describe('rejection()', () => {
  test('is undefined for an allowed decision', async () => {
    expect(rejection(await createLimiter().check('bob'))).toBeUndefined()
  })

  test('is what the middlewares send for a denied one', async () => {
    const limiter = createLimiter()
    await limiter.check('bob')
    expect(rejection(await limiter.check('bob'))).toEqual({
      status: 429,
      headers: {
        ratelimit: '"rps";r=0;t=10',
        'ratelimit-policy': '"rps";q=1;w=10',
        'retry-after': '10',
        'retry-after-ms': '10000',
      },
      body: {
        error: 'rate_limit_exceeded',
        message: 'Rate limit exceeded for limits: rps',
        retry_after_seconds: 10,
        violations: [expect.objectContaining({ limit_name: 'rps', entity_id: 'app:bob', requested: 1 })],
      },
    })
  })

  test('asks for no retry of a request that can never pass', async () => {
    const rejected = rejection(await createLimiter().check('bob', { cost: { requests: 2 } }))
    expect(rejected).toMatchObject({
      status: 429,
      headers: { 'x-should-retry': 'false' },
      body: { retry_after_seconds: null },
    })
    expect(rejected?.headers).not.toHaveProperty('retry-after')
  })

  test('is a 503 while the store is unavailable', async () => {
    const denying = createRateLimiter({
      limits: [{ name: 'rps', capacity: 1, refill_rate: 1 }],
      store: unavailableStore(),
      logger: silentLogger,
    })
    expect(rejection(await denying.check('bob'))).toEqual({
      status: 503,
      headers: { 'retry-after': '1', 'x-zael-degraded': 'true' },
      body: { error: 'unavailable', message: 'The store is not reachable; please try again' },
    })
  })
})
