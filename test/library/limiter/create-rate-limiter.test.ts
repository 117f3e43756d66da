import { describe, expect, test } from 'vitest'
import type { BucketStore } from '../../../src/core/bucket/bucket-store.ts'
import { StoreUnavailable } from '../../../src/core/errors.ts'
import { type CodeLimits, createRateLimiter, memoryStore, silentLogger } from '../../../src/library/index.ts'
import { createTestClock, SECOND } from '../../core/test-clock.ts'

const TEN: CodeLimits = { limits: [{ name: 'rps', capacity: 10, refill_rate: 2 }] }

const limiterOf = (limits: CodeLimits = TEN, store = memoryStore()) => {
  const clock = createTestClock()
  return { clock, limiter: createRateLimiter({ ...limits, store, clock, logger: silentLogger }) }
}

const take = async (limiter: ReturnType<typeof limiterOf>['limiter'], key: string, times: number) => {
  const results: boolean[] = []
  for (let i = 0; i < times; i++) results.push((await limiter.check(key)).allowed)
  return results.filter(Boolean).length
}

describe('limits in code', () => {
  test('give each key its own bucket, without any entity in a table', async () => {
    const { limiter } = limiterOf()
    expect(await take(limiter, '203.0.113.7', 12)).toBe(10)
    expect(await take(limiter, '203.0.113.8', 12)).toBe(10)
  })

  test('name the wait after which a denied request passes', async () => {
    const { limiter, clock } = limiterOf()
    await take(limiter, 'a', 10)
    const denied = await limiter.check('a')
    expect(denied).toMatchObject({ allowed: false, retryAfterMs: 500, unavailable: false, degraded: false })
    expect(denied.violations).toMatchObject([{ name: 'rps', requested: 1, available: 0, retryAfterMs: 500 }])
    clock.advance(SECOND / 2n - 1_000_000n)
    expect((await limiter.check('a')).allowed).toBe(false)
    clock.advance(1_000_000n)
    expect((await limiter.check('a')).allowed).toBe(true)
  })

  test('count requests unless the name means another meter, also per period', async () => {
    for (const size of [
      { capacity: 5, refill_rate: 1 },
      { limit: 5, per: 'minute' as const },
    ]) {
      const { limiter } = limiterOf({ limits: [{ name: 'login', ...size }] })
      expect(await take(limiter, 'a', 7)).toBe(5)
    }
  })

  test('of size 0 deny every request, for as long as they are paused', async () => {
    const { limiter } = limiterOf({ limits: [{ name: 'login', capacity: 0, refill_rate: 0 }] })
    const denied = await limiter.check('a')
    expect(denied).toMatchObject({ allowed: false, retryAfterMs: null })
    expect(denied.violations).toMatchObject([{ name: 'login', capacity: 0, available: 0 }])
  })

  test('say null where the cost never fits', async () => {
    const { limiter } = limiterOf()
    expect(await limiter.check('a', { cost: { requests: 11 } })).toMatchObject({
      allowed: false,
      retryAfterMs: null,
    })
  })

  test('show what is left', async () => {
    const { limiter } = limiterOf()
    const { limits } = await limiter.check('a', { cost: { requests: 4 } })
    expect(limits).toEqual([
      {
        name: 'rps',
        meter: 'requests',
        entityId: 'app:a',
        resource: '_default_',
        capacity: 10,
        available: 6,
        used: 4,
        resetAfterMs: 2000,
        own: true,
        mode: 'enforce',
      },
    ])
  })

  test('of a resource stand before the others, and unnamed resources share a bucket', async () => {
    const { limiter } = limiterOf({
      ...TEN,
      resources: { 'gpt-4': [{ name: 'rps', capacity: 2, refill_rate: 1 }] },
    })
    const model = await limiter.check('a', { resource: 'gpt-4' })
    expect(model.limits).toMatchObject([{ resource: 'gpt-4', capacity: 2 }])
    await limiter.check('a', { resource: 'invented-1' })
    const other = await limiter.check('a', { resource: 'invented-2' })
    expect(other.limits).toMatchObject([{ resource: '_other_', capacity: 10, available: 8 }])
  })

  test('of one key stand before all others, also where the key is no id', async () => {
    const { limiter } = limiterOf({
      ...TEN,
      limitsFor: async (key) =>
        key === 'a big customer' ? [{ name: 'rps', capacity: 100, refill_rate: 20 }] : undefined,
    })
    expect((await limiter.check('a big customer')).limits).toMatchObject([{ capacity: 100 }])
    expect((await limiter.check('another')).limits).toMatchObject([{ capacity: 10 }])
  })

  test('of a higher revision hold on a bucket in use, also for processes that have the old ones', async () => {
    const store = memoryStore()
    const { limiter: before } = limiterOf(TEN, store)
    await take(before, 'a', 10)
    const raised: CodeLimits = { limits: [{ name: 'rps', capacity: 20, refill_rate: 2 }], revision: 1 }
    const { limiter: after } = limiterOf(raised, store)
    expect(await take(after, 'a', 6)).toBe(6)
    expect((await before.check('a')).limits).toMatchObject([{ capacity: 20, available: 3 }])
    expect(await take(before, 'a', 12)).toBe(3)
  })

  test('of two versions of an app at once keep what is used, whichever decides', async () => {
    const store = memoryStore()
    const { limiter: before } = limiterOf(TEN, store)
    const { limiter: after } = limiterOf({ limits: [{ name: 'rps', capacity: 8, refill_rate: 4 }] }, store)
    let allowed = 0
    for (let i = 0; i < 12; i++) allowed += await take(i % 2 === 0 ? before : after, 'a', 1)
    expect(allowed).toBeLessThanOrEqual(10)
    expect(allowed).toBeGreaterThanOrEqual(8)
  })

  test.each([
    [{ limits: [{ name: 'rps', capacity: 1.5, refill_rate: 1 }] }, 'limits[0].capacity'],
    [{ limits: [{ name: 'rps', capacity: 1, refill_rate: 0 }] }, 'limits[0].refill_rate'],
    [{ resources: { 'a#b': [] } }, 'resources.a#b'],
    [{ ...TEN, revision: -1 }, 'revision'],
    [{}, 'limits'],
  ])('are refused where they cannot be: %j', (limits, field) => {
    expect(() => limiterOf(limits)).toThrow(expect.objectContaining({ code: 'invalid_request', field }))
  })
})

describe('a reservation', () => {
  const tokens: CodeLimits = { limits: [{ name: 'tpm', capacity: 600, refill_rate: 10 }] }

  test('gives back what was not used', async () => {
    const { limiter } = limiterOf(tokens)
    const reservation = await limiter.reserve('a', { cost: { tokens: 500 } })
    await reservation.settle({ tokens: 100 })
    expect((await limiter.check('a', { cost: { tokens: 500 } })).allowed).toBe(true)
  })

  test('that is denied can be settled and released without effect', async () => {
    const { limiter } = limiterOf(tokens)
    const denied = await limiter.reserve('a', { cost: { tokens: 601 } })
    await denied.settle({ tokens: 1 })
    await denied.release()
    expect((await limiter.check('a', { cost: { tokens: 600 } })).allowed).toBe(true)
  })

  test('that is released leaves nothing charged', async () => {
    const { limiter } = limiterOf(tokens)
    await (await limiter.reserve('a', { cost: { tokens: 600 } })).release()
    expect((await limiter.check('a', { cost: { tokens: 600 } })).allowed).toBe(true)
  })
})

const away: BucketStore = {
  write: async () => {
    throw new StoreUnavailable('away', { mayHaveApplied: false })
  },
  read: async () => {
    throw new StoreUnavailable('away', { mayHaveApplied: false })
  },
  list: async () => [],
  remove: async () => {},
}

describe('while the store is away', () => {
  const store = { ...memoryStore(), buckets: away }

  test('a request is refused as unavailable unless told otherwise', async () => {
    const { limiter } = limiterOf(TEN, store)
    expect(await limiter.check('a')).toMatchObject({
      allowed: false,
      unavailable: true,
      degraded: true,
      unavailableCause: 'away',
      limits: [],
      retryAfterMs: 1000,
    })
  })

  test('a limit may allow, and the answer says that it was given without the store', async () => {
    const limits: CodeLimits = {
      limits: [{ name: 'rps', capacity: 10, refill_rate: 2, on_unavailable: 'allow' }],
    }
    const { limiter } = limiterOf(limits, store)
    expect(await limiter.check('a')).toMatchObject({
      allowed: true,
      degraded: true,
      unavailableCause: 'away',
      limits: [],
    })
  })
})

test('a store in memory has no configuration of a table', () => {
  expect(() => createRateLimiter({ store: memoryStore(), config: 'table' })).toThrow('store must be a table')
})

test('a store in memory forgets the buckets that were not charged for longest, and no others', async () => {
  const { limiter } = limiterOf(TEN, memoryStore({ maxBuckets: 2 }))
  for (const key of ['a', 'b', 'a', 'c']) await take(limiter, key, 5)
  const left = async (key: string) => (await limiter.check(key)).limits[0]?.available
  expect(await left('a')).toBe(0)
  expect(await left('b')).toBe(9)
})

test('counts are written when it is closed', async () => {
  const store = memoryStore()
  const { limiter } = limiterOf(TEN, store)
  await take(limiter, 'a', 12)
  await limiter.close()
  const [bucket] = await store.buckets.list('app:a')
  expect(bucket?.item).toMatchObject({ used_requests: 10n, denied: 2n, denied_rps: 2n })
})
