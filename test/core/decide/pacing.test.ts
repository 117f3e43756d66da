import { describe, expect, test } from 'vitest'
import { parseLimits } from '../../../src/contract/limits.ts'
import type { Decision } from '../../../src/core/decide/decision.ts'
import type { Limit } from '../../../src/core/model/limit.ts'
import type { Cost } from '../../../src/core/model/meter.ts'
import type { Pace } from '../../../src/core/ports/model-backend.ts'
import { SECOND } from '../test-clock.ts'
import { entityOwner, limitsOf } from '../test-config.ts'
import { createTestWorld } from '../test-limiter.ts'

const MINUTE = 60n * SECOND

const aPace = (fields: Partial<Pace> = {}): Pace => ({
  factor: 0.5,
  recoveryNs: 300n * SECOND,
  since: 1n,
  onDenial() {},
  ...fields,
})

const ONE: Cost = { requests: 1 }

/** A team and its two keys on `gpt-4`: 60 requests a minute each, and 90 of the team's. */
const start = async (limits: readonly Limit[] = limitsOf({ rpm: [60, 1] })) => {
  const world = createTestWorld()
  const { config, clock, node } = world
  config.putEntity('team')
  config.putEntity('alice', { parentId: 'team' })
  config.putEntity('bob', { parentId: 'team' })
  for (const model of ['gpt-4', 'gpt-4o']) config.putModel(model)
  for (const id of ['alice', 'bob']) config.putLimits(entityOwner(id), '_default_', limits)
  const decide = (pace?: Pace, cost = ONE, entityId = 'alice', resource = 'gpt-4') =>
    node.limiter.decide({ entityId, resource, cost, settles: true, ...(pace && { pace }) })
  /** How many requests are admitted within `ns`, if one comes every 250 ms. */
  const admittedIn = async (ns: bigint, pace?: Pace, entityId = 'alice', resource = 'gpt-4') => {
    let admitted = 0
    for (const until = clock.monotonic() + ns; clock.monotonic() < until; clock.advance(SECOND / 4n))
      if ((await decide(pace, ONE, entityId, resource)).allowed) admitted++
    return admitted
  }
  /** Until the next one is denied. */
  const exhaust = async (pace: Pace) => {
    while ((await decide(pace)).allowed);
  }
  return { ...world, decide, admittedIn, exhaust }
}

const deniedOf = (decision: Decision) => {
  if (decision.allowed) throw new Error('it is allowed')
  return decision
}

describe('a paced caller', () => {
  test('gets a share of its limit: of what it holds, and of its rate', async () => {
    const { admittedIn } = await start()
    expect(await admittedIn(MINUTE, aPace())).toBe(30 + 29)
    expect(await admittedIn(MINUTE, aPace())).toBe(30)
    expect(await admittedIn(MINUTE, aPace({ factor: 0.1 }))).toBe(6)
  })

  test('at its limit goes on at the lower rate, at once', async () => {
    const { admittedIn } = await start()
    expect(await admittedIn(MINUTE)).toBe(60 + 59)
    expect(await admittedIn(MINUTE, aPace())).toBe(30)
  })

  test('keeps its limit where it is not paced: other models, and afterwards', async () => {
    const { admittedIn, exhaust, decide } = await start()
    await exhaust(aPace({ factor: 0.01 }))
    expect(await admittedIn(MINUTE, undefined, 'alice', 'gpt-4o')).toBe(60 + 59)
    expect((await decide()).limits[0]).toMatchObject({ capacity: 60, available: 59 })
    expect(await admittedIn(MINUTE)).toBe(59 + 59)
  })

  test('is paced by the state of its limit when the factor falls again', async () => {
    const { exhaust, decide } = await start()
    await exhaust(aPace())
    // 30 of 60 are in use
    expect((await decide(aPace({ since: 2n }))).limits[0]).toMatchObject({ available: 14 })
  })

  test('is paced anew when the factor falls again', async () => {
    const { admittedIn, clock } = await start()
    await admittedIn(MINUTE, aPace({ factor: 0.01 }))
    clock.advance(MINUTE)
    expect(await admittedIn(10n * SECOND, aPace({ since: 2n }))).toBe(34)
  })

  test.each([
    ['a sliding window', [{ name: 'rpm', algorithm: 'sliding_window', limit: 60, window_seconds: 60 }]],
    ['a fixed window', [{ name: 'rpm', algorithm: 'fixed_window', limit: 60, window: 'minute' }]],
  ])('gets a share of %s', async (_, limits) => {
    const { admittedIn } = await start(parseLimits(limits, 'limits'))
    await admittedIn(MINUTE, aPace({ factor: 0.25 }))
    const admitted = await admittedIn(4n * MINUTE, aPace({ factor: 0.25 }))
    expect(admitted).toBeGreaterThanOrEqual(59)
    expect(admitted).toBeLessThanOrEqual(61)
  })

  test.each([
    ['a quota of a day', 'requests', [{ name: 'rpd', limit: 40, per: 'day' }]],
    ['a budget', 'cost_usd_micros', [{ name: 'usd', meter: 'cost_usd_micros', limit: 40, per: 'minute' }]],
    ['a limit that only warns', 'requests', [{ name: 'rpm', limit: 40, per: 'minute', mode: 'warn' }]],
  ] as const)('keeps %s', async (_, meter, limits) => {
    const { decide } = await start(parseLimits(limits, 'limits'))
    for (let n = 0; n < 40; n++)
      expect((await decide(aPace({ factor: 0.01 }), { [meter]: 1 })).allowed).toBe(true)
  })

  test('may send a request that is larger than its share, and pays it off afterwards', async () => {
    const { decide, clock } = await start(limitsOf({ tpm: [1000, 10] }))
    const large = { tokens: 900 }
    expect((await decide(aPace(), large)).allowed).toBe(true)
    clock.advance(2n * MINUTE)
    // 300 of 900 are still in use
    expect(deniedOf(await decide(aPace(), large))).toMatchObject({ retryAfterNs: 60n * SECOND })
    clock.advance(MINUTE)
    expect((await decide(aPace(), large)).allowed).toBe(true)
  })

  test('is denied for ever what is larger than its limit', async () => {
    const { decide } = await start(limitsOf({ rpm: [60, 1], tpm: [1000, 10] }))
    expect((await decide(aPace(), { requests: 1, tokens: 1000 })).allowed).toBe(true)
    const denied = deniedOf(await decide(aPace(), { requests: 1, tokens: 1001 }))
    expect(denied).toMatchObject({ retryAfterNs: null, violations: [{ state: { limit: { name: 'tpm' } } }] })
    expect(denied.violations[0]?.factor).toBeUndefined()
  })

  test('gets back what a settlement leaves of its reservation, once', async () => {
    const { decide } = await start(limitsOf({ tpm: [1000, 10] }))
    const first = await decide(aPace(), { tokens: 500 })
    expect((await decide(aPace(), { tokens: 100 })).allowed).toBe(false)
    if (!first.allowed) throw new Error('it is denied')
    await first.reservation.settle({ tokens: 300 })
    await first.reservation.settle({ tokens: 0 })
    await first.reservation.release()
    expect((await decide(aPace(), { tokens: 201 })).allowed).toBe(false)
    expect((await decide(aPace(), { tokens: 200 })).allowed).toBe(true)
  })

  test('gets nothing back for a request that the upstream refused: it was sent', async () => {
    const { decide } = await start(limitsOf({ tpm: [1000, 10] }))
    const first = await decide(aPace(), { tokens: 500 })
    if (!first.allowed) throw new Error('it is denied')
    await first.reservation.release()
    expect(deniedOf(await decide(aPace(), { tokens: 1 })).violations[0]?.factor).toBe(0.5)
    expect((await decide(undefined, { tokens: 1000 })).allowed).toBe(true)
  })

  test('gets back what its limits deny', async () => {
    const { decide, config } = await start(limitsOf({ rpm: [60, 1] }))
    config.putLimits(entityOwner('alice'), '_total_', limitsOf({ rpm: [10, 10 / 60] }))
    for (let n = 0; n < 50; n++) await decide(aPace())
    expect((await decide(aPace(), ONE, 'alice', 'gpt-4o')).limits[0]).toMatchObject({ available: 60 })
    const { limits } = await decide(aPace())
    expect(limits[0]).toMatchObject({ limit: { name: 'rpm' }, resource: 'gpt-4', available: 50 })
  })
})

describe('buckets that a pace applies to', () => {
  test('a parent shares it among its children', async () => {
    const { admittedIn, config } = await start(limitsOf({ rpm: [600, 10] }))
    config.putLimits(entityOwner('team'), 'gpt-4', limitsOf({ rpm: [60, 1] }))
    expect(await admittedIn(MINUTE / 2n, aPace())).toBe(30 + 14)
    expect(await admittedIn(MINUTE, aPace(), 'bob')).toBe(30)
  })

  test('so does the policy of the model', async () => {
    const { admittedIn, config } = await start(limitsOf({ rpm: [600, 10] }))
    config.putPolicy('MODEL', 'gpt-4', limitsOf({ rpm: [60, 1] }))
    expect(await admittedIn(MINUTE / 2n, aPace())).toBe(30 + 14)
    expect(await admittedIn(MINUTE, aPace(), 'bob')).toBe(30)
  })

  test.each([
    ['all requests', 'GLOBAL', '*'],
    ['a key', 'API_KEY', 'alice'],
  ] as const)('the policy of %s is none', async (_, scope, selector) => {
    const { admittedIn, config } = await start(limitsOf({ rpm: [6000, 100] }))
    config.putPolicy(scope, selector, limitsOf({ rpm: [20, 1] }))
    expect(await admittedIn(MINUTE / 2n, aPace({ factor: 0.1 }))).toBe(20 + 29)
  })

  test('the bucket over all resources is none', async () => {
    const { admittedIn, config } = await start(limitsOf({ rpm: [6000, 100] }))
    config.putLimits(entityOwner('alice'), '_total_', limitsOf({ rpm: [20, 1] }))
    expect(await admittedIn(MINUTE / 2n, aPace({ factor: 0.1 }))).toBe(20 + 29)
  })
})

describe('a denial by the pace', () => {
  test('names the limit, its share and a wait that suffices, and charges nothing', async () => {
    const { exhaust, decide, clock, node } = await start()
    await exhaust(aPace())
    const writes = node.counts.bucket_writes
    const denied = deniedOf(await decide(aPace()))
    expect(denied).toMatchObject({
      violations: [{ state: { limit: { name: 'rpm' }, capacity: 60, available: 0, used: 60 }, factor: 0.5 }],
      limits: [{ limit: { name: 'rpm' }, capacity: 60, available: 0, resetNs: MINUTE, nextNs: 2n * SECOND }],
      degraded: false,
      unavailable: false,
    })
    expect(node.counts.bucket_writes).toBe(writes)
    const wait = denied.retryAfterNs ?? 0n
    expect(wait).toBeGreaterThan(0n)
    clock.advance(wait - SECOND / 1000n)
    expect((await decide(aPace())).allowed).toBe(false)
    clock.advance(SECOND / 1000n)
    expect((await decide(aPace())).allowed).toBe(true)
  })

  test('waits no longer than until the factor is 1 again', async () => {
    const { exhaust, decide } = await start()
    await exhaust(aPace({ factor: 0.01 }))
    const pace = aPace({ factor: 0.01, recoveryNs: 7n * SECOND })
    expect(deniedOf(await decide(pace)).retryAfterNs).toBe(7n * SECOND)
  })

  test('is counted, and reported to the pace', async () => {
    const { exhaust, decide, node } = await start()
    let denials = 0
    const pace = aPace({ onDenial: () => void denials++ })
    await exhaust(pace)
    const before = [denials, node.counts.decisions_denied ?? 0]
    await decide(pace)
    expect([denials, node.counts.decisions_denied]).toEqual(before.map((count) => count + 1))
  })

  test('is foreseen', async () => {
    const { exhaust, node } = await start()
    const request = { entityId: 'alice', resource: 'gpt-4', cost: ONE, settles: true }
    await exhaust(aPace())
    expect(node.limiter.foreseesDenial({ ...request, pace: aPace() })).toBe(true)
    expect(node.limiter.foreseesDenial(request)).toBe(false)
    expect(node.limiter.foreseesDenial({ ...request, resource: 'gpt-4o', pace: aPace() })).toBe(false)
  })

  test('regards a limit that was raised in the last second', async () => {
    const { exhaust, decide, config, clock } = await start()
    await exhaust(aPace())
    config.putLimits(entityOwner('alice'), '_default_', limitsOf({ rpm: [600, 10] }))
    clock.advance(SECOND)
    expect((await decide(aPace())).allowed).toBe(true)
  })

  test('is none for an entity that bypasses its limits', async () => {
    const { admittedIn, config } = await start()
    config.putEntity('alice', { bypass: true })
    expect(await admittedIn(MINUTE, aPace({ factor: 0.01 }))).toBe(240)
  })

  test('is none for a cost that is not valid: it throws as without a pace', async () => {
    const { decide } = await start()
    await expect(decide(aPace(), { requests: -1 })).rejects.toMatchObject({ code: 'invalid_request' })
  })
})
