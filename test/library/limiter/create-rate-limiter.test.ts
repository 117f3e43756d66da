import { describe, expect, test } from 'vitest'
import type { BucketStore } from '../../../src/core/bucket/bucket-store.ts'
import { StoreUnavailable } from '../../../src/core/model/errors.ts'
import { type CodeLimits, createRateLimiter, memoryStore, silentLogger } from '../../../src/library/index.ts'
import { createTestClock, SECOND } from '../../core/test-clock.ts'

const TEN: CodeLimits = { limits: [{ name: 'rps', capacity: 10, refill_rate: 2 }] }

/** Limiters of one name: as those of two processes, they may share a store. */
const limiterOf = (limits: CodeLimits = TEN, store = memoryStore()) => {
  const clock = createTestClock()
  return { clock, limiter: createRateLimiter({ ...limits, name: 'app', store, clock, logger: silentLogger }) }
}

const take = async (limiter: ReturnType<typeof limiterOf>['limiter'], key: string, times: number) => {
  const results: boolean[] = []
  for (let i = 0; i < times; i++) results.push((await limiter.check(key)).allowed)
  return results.filter(Boolean).length
}

/** As JavaScript passes it, which no compiler has checked. */
const untyped = (value: unknown): never => value as never

describe('limits in code', () => {
  test('give each key its own bucket, without any entity in a table', async () => {
    const { limiter } = limiterOf()
    expect(await take(limiter, '203.0.113.7', 12)).toBe(10)
    expect(await take(limiter, '203.0.113.8', 12)).toBe(10)
  })

  test('may have another size at some times', async () => {
    const schedule = [{ cron: '0 1 * * *', time_zone: 'UTC', duration_seconds: 3600, limit: 30 }]
    const { limiter, clock } = limiterOf({ limits: [{ name: 'rph', limit: 10, per: 'hour', schedule }] })
    clock.advance(3590n * SECOND)
    expect(await take(limiter, 'a', 12)).toBe(10)
    expect(await limiter.check('a')).toMatchObject({ allowed: false, retryAfterMs: 10_000 })
    clock.advance(10n * SECOND)
    expect(await take(limiter, 'a', 22)).toBe(20)
    expect(() =>
      limiterOf({
        limits: [{ name: 'rph', limit: 10, per: 'hour', schedule: untyped([{ cron: 'daily' }]) }],
      }),
    ).toThrow('limits[0].schedule[0].cron must be a cron expression of five fields')
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

  test('contain null if the cost never fits', async () => {
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

  test('of one key override all others, also if the key is not an id', async () => {
    const { limiter } = limiterOf({
      ...TEN,
      limitsFor: async (key) =>
        key === 'a big customer' ? [{ name: 'rps', capacity: 100, refill_rate: 20 }] : undefined,
    })
    expect((await limiter.check('a big customer')).limits).toMatchObject([{ capacity: 100 }])
    expect((await limiter.check('another')).limits).toMatchObject([{ capacity: 10 }])
  })

  test.each([
    [{ limitsFor: () => [{ name: 'rps', capacity: -1, refill_rate: 1 }] }, 'limitsFor()[0].capacity'],
    [{ limitsFor: () => ({ name: 'rps' }) }, 'limitsFor()'],
    [{ ...TEN, priorityOf: () => 'urgent' }, 'priorityOf()'],
  ])('of a function that returns none are an error: %o', async (code, field) => {
    const { limiter } = limiterOf(untyped(code))
    await expect(limiter.check('a')).rejects.toMatchObject({ code: 'invalid_request', field })
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
  ])('are rejected where they cannot be: %j', (limits, field) => {
    expect(() => limiterOf(limits)).toThrow(expect.objectContaining({ code: 'invalid_request', field }))
  })
})

describe('a decision', () => {
  test('is plain data, of a check and of a reservation', async () => {
    const { limiter } = limiterOf()
    const allowed = await limiter.check('a')
    expect(JSON.parse(JSON.stringify(allowed))).toEqual(allowed)
    const { settle, release, ...reserved } = await limiter.reserve('a')
    expect(structuredClone(reserved)).toEqual(JSON.parse(JSON.stringify(reserved)))
  })

  test('is plain data if denied', async () => {
    const { limiter } = limiterOf()
    const denied = await limiter.check('a', { cost: { requests: 11 } })
    expect(JSON.parse(JSON.stringify(denied))).toEqual(denied)
    expect(denied.violations).toMatchObject([{ requested: 11, retryAfterMs: null }])
  })
})

describe('a key', () => {
  test('may be a number, and is the same as its text', async () => {
    const { limiter } = limiterOf()
    expect(await limiter.check(42)).toMatchObject({ limits: [{ entityId: 'app:42', available: 9 }] })
    expect(await limiter.check('42')).toMatchObject({ limits: [{ entityId: 'app:42', available: 8 }] })
    expect(await limiter.check(0)).toMatchObject({ limits: [{ entityId: 'app:0' }] })
  })

  test.each([undefined, null, Number.NaN, Number.POSITIVE_INFINITY, true, {}, ['a'], ''])(
    'cannot be %o',
    async (key) => {
      const { limiter } = limiterOf()
      const error = { name: 'TypeError', code: 'invalid_request', field: 'key' }
      await expect(limiter.check(untyped(key))).rejects.toMatchObject(error)
      await expect(limiter.reserve(untyped(key))).rejects.toMatchObject(error)
    },
  )
})

describe('a check without types', () => {
  test.each([
    [{ cost: { request: 1 } }, 'cost.request'],
    [{ cost: 5 }, 'cost'],
    [{ cost: { requests: -1 } }, 'cost.requests'],
    [{ cost: { requests: 0.5 } }, 'cost.requests'],
    [{ cost: { requests: Number.NaN } }, 'cost.requests'],
    [{ costs: { requests: 1 } }, 'costs'],
    [{ resource: 5 }, 'resource'],
    [{ user: {} }, 'user'],
    [{ context: { tenent: 'a' } }, 'context.tenent'],
    [{ context: { tenant: 5 } }, 'context.tenant'],
    [{ context: { model: {} } }, 'context.model'],
    [{ context: { tier: null } }, 'context.tier'],
    ['gpt-4', 'options'],
  ])('is an error and charges nothing: %j', async (options, field) => {
    const { limiter } = limiterOf()
    const error = { name: 'TypeError', code: 'invalid_request', field }
    await expect(limiter.check('a', untyped(options))).rejects.toMatchObject(error)
    await expect(limiter.reserve('a', untyped(options))).rejects.toMatchObject(error)
    expect((await limiter.check('a')).limits).toMatchObject([{ used: 1 }])
  })
})

test('charges the cost as it was when the check began', async () => {
  const { limiter } = limiterOf()
  const cost = { requests: 3 }
  const checks = [1, 2].map(() => limiter.check('a', { cost }))
  cost.requests = 0
  await Promise.all(checks)
  expect((await limiter.check('a')).limits).toMatchObject([{ used: 7 }])
})

describe('options', () => {
  test('may name no store: buckets are in memory then', async () => {
    const limiter = createRateLimiter({ ...TEN, logger: silentLogger })
    expect(await take(limiter, 'a', 12)).toBe(10)
  })

  test.each([
    [undefined, 'limits', /^limits must be given, or resources, or limitsFor; for example limits: \[/],
    [{}, 'limits', /^limits must be given/],
    [{ ...TEN, exmpt: [] }, 'exmpt', /^exmpt must not be given; known options are limits, .*onUnavailable/],
    [{ ...TEN, onUnavailable: 'open' }, 'onUnavailable', /^onUnavailable must be one of allow, deny, local/],
    [{ ...TEN, leaseTtlMs: -1 }, 'leaseTtlMs', /^leaseTtlMs must be a whole number of ms from 0 to 600000/],
    [{ ...TEN, leaseTtlMs: '1000' }, 'leaseTtlMs', /^leaseTtlMs must be/],
    [{ ...TEN, config: 'tabel' }, 'config', /^config must be one of code, table/],
    [{ ...TEN, store: {} }, 'store', /^store must be what memoryStore\(\)/],
    [{ ...TEN, store: 'memory' }, 'store', /^store must be/],
    [{ ...TEN, store: null }, 'store', /^store must be/],
    [{ ...TEN, name: null }, 'name', /^name must be 1 to 48 of/],
    [{ ...TEN, name: 5 }, 'name', /^name must be 1 to 48 of/],
    [{ ...TEN, limitsFor: [] }, 'limitsFor', /^limitsFor must be a function/],
    [{ ...TEN, resources: null }, 'resources', /^resources must be an object/],
    [{ ...TEN, resources: [] }, 'resources', /^resources must be an object/],
    [{ ...TEN, logger: { log: 1 } }, 'logger', /^logger must have the methods debug, info, warn, error/],
    [{ ...TEN, metrics: { increment() {} } }, 'metrics', /^metrics must have the methods count/],
    [{ ...TEN, clock: Date }, 'clock', /^clock must have the methods now, monotonic/],
    [{ limits: [{ name: 'rps', capacity: 1, refil_rate: 1 }] }, 'limits[0].refil_rate', /known fields are/],
    [{ config: 'table' }, 'store', /^store must be a table/],
    ['rpm', 'options', /^options must be an object/],
  ])('that are unknown or invalid are named: %j', (options, field, message) => {
    expect(() => createRateLimiter(untyped(options))).toThrow(
      expect.objectContaining({ code: 'invalid_request', field, message: expect.stringMatching(message) }),
    )
  })

  test.each([[{ maxBuckets: 0 }], [{ maxBuckets: 1.5 }], [{ maxBuckets: '9' }], [{ max: 9 }]])(
    'of a store in memory are checked: %j',
    (options) => {
      expect(() => memoryStore(untyped(options))).toThrow(
        expect.objectContaining({ code: 'invalid_request' }),
      )
    },
  )
})

describe('two limiters on one store', () => {
  const unnamed = (store = memoryStore()) => createRateLimiter({ ...TEN, store, logger: silentLogger })

  test('are an error if neither has a name: they would share their buckets', () => {
    const store = memoryStore()
    unnamed(store)
    const error = expect.objectContaining({
      field: 'name',
      message: expect.stringMatching(/^name must be given/),
    })
    expect(() => unnamed(store)).toThrow(error)
    expect(() => unnamed({ ...store })).toThrow(error)
  })

  test('have their own buckets if one has a name', async () => {
    const store = memoryStore()
    const general = unnamed(store)
    const login = createRateLimiter({
      name: 'login',
      limits: [{ name: 'rpm', capacity: 3, refill_rate: 0.05 }],
      store,
      logger: silentLogger,
    })
    expect(await take(general, 'a', 12)).toBe(10)
    expect(await take(login, 'a', 12)).toBe(3)
  })

  test('may follow each other without a name', async () => {
    const store = memoryStore()
    await unnamed(store).close()
    const second = unnamed(store)
    await second.close()
    await second.close()
    expect(() => unnamed(store)).not.toThrow()
  })

  test('are not an error after invalid limits', () => {
    const store = memoryStore()
    expect(() => createRateLimiter({ limits: [], revision: -1, store })).toThrow('revision')
    expect(() => unnamed(store)).not.toThrow()
  })
})

describe('a reservation', () => {
  const tokens: CodeLimits = { limits: [{ name: 'tpm', capacity: 600, refill_rate: 10 }] }

  test('refunds what was not used', async () => {
    const { limiter } = limiterOf(tokens)
    const reservation = await limiter.reserve('a', { cost: { tokens: 500 } })
    await reservation.settle({ tokens: 100 })
    expect((await limiter.check('a', { cost: { tokens: 500 } })).allowed).toBe(true)
  })

  test.each([{ token: 5 }, 5, { tokens: -1 }, { tokens: 1.5 }, undefined])(
    'is not settled by %j, and can still be',
    async (actual) => {
      const { limiter } = limiterOf(tokens)
      const reservation = await limiter.reserve('a', { cost: { tokens: 500 } })
      await expect(reservation.settle(untyped(actual))).rejects.toMatchObject({
        name: 'TypeError',
        code: 'invalid_request',
      })
      expect((await limiter.check('a', { cost: {} })).limits).toMatchObject([{ used: 500 }])
      await reservation.settle({ tokens: 100 })
      expect((await limiter.check('a', { cost: {} })).limits).toMatchObject([{ used: 100 }])
    },
  )

  test('is settled exactly from what JSON cannot contain', async () => {
    const { limiter } = limiterOf({ limits: [{ name: 'tpm', capacity: 9_000_000_000, refill_rate: 100 }] })
    const reservation = await limiter.reserve('a', { cost: { tokens: 8_999_999_999 } })
    JSON.stringify(reservation)
    await reservation.settle({ tokens: 8_999_999_998 })
    expect((await limiter.check('a', { cost: {} })).limits).toMatchObject([{ used: 8_999_999_998 }])
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

describe('while the store is unavailable', () => {
  const store = { ...memoryStore(), buckets: away }

  test('a request is denied as unavailable by default', async () => {
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

  test('a limit may allow, and the decision is degraded', async () => {
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
