import { test } from '@fast-check/vitest'
import fc from 'fast-check'
import { expect } from 'vitest'
import { applyActions } from '../../../src/core/bucket/apply-write.ts'
import type { EffectiveLimit } from '../../../src/core/bucket/effective-limit.ts'
import { createLiveTimes } from '../../../src/core/bucket/live-bucket.ts'
import { algorithmOf } from '../../../src/core/bucket/registry.ts'
import type { BucketItem } from '../../../src/core/bucket/write.ts'
import { createTokens, type Lease } from '../../../src/core/charge/lease.ts'
import { createLeases } from '../../../src/core/charge/leases.ts'
import type { LimitState } from '../../../src/core/decide/decision.ts'
import { limitStates } from '../../../src/core/decide/limit-state.ts'
import { CachedStates } from '../../../src/core/decide/numeric-limits.ts'
import type { LimitSize } from '../../../src/core/model/limit.ts'
import { MINUTE_NS, MS_NS, SECOND_NS } from '../../../src/core/model/time.ts'
import { runs } from '../../property-runs.ts'
import { START } from '../test-clock.ts'

const amount = fc.integer({ min: 1, max: 30 })

const size: fc.Arbitrary<LimitSize> = fc.oneof(
  fc.record({
    algorithm: fc.constant('token_bucket' as const),
    capacity: fc.oneof(amount, fc.constantFrom(0, 2 ** 40)),
    refillRate: fc.constantFrom(0.001, 0.3, 7),
  }),
  fc.record({
    algorithm: fc.constant('sliding_window' as const),
    limit: amount,
    windowSeconds: fc.constantFrom(10, 86_400),
    slots: fc.constantFrom(2, 30),
  }),
  fc.record({
    algorithm: fc.constant('fixed_window' as const),
    limit: amount,
    window: fc.constantFrom('minute' as const, 'month' as const),
    timeZone: fc.constantFrom('UTC', 'Asia/Kolkata'),
  }),
)

const ID = { kind: 'entity', entityId: 'key', resource: 'gpt-4' } as const

const limitOf = (given: LimitSize, headroom: number): EffectiveLimit => ({
  limit: { name: 'rpm', meter: 'requests', size: given },
  algorithm: algorithmOf(given),
  version: 1n,
  source: 'system',
  headroom,
})

const bucketOf = (limit: EffectiveLimit) => ({
  ...{ id: ID, entityId: 'key', resource: 'gpt-4', limits: [limit], layers: [], isOwn: true },
})

/** The item after another node charged `cost`, fitting or not. */
const charged = ({ algorithm }: EffectiveLimit, cost: number, now: bigint): BucketItem => {
  const { actions } = algorithm.debit(undefined, cost, now, now + 10n * algorithm.windowNs)
  const fields = Object.entries(applyActions({}, actions)).map(([name, value]) => [`rpm_${name}`, value])
  return Object.freeze({ ...Object.fromEntries(fields), rpm_limit: algorithm.text })
}

const leaseOf = (left: number, endsNs: number, next: Lease | undefined): Lease => ({
  receipt: { bucket: ID, generation: START, chargedAt: START, limits: [] },
  ...{ startedNs: 0n, endsNs, endsAtNs: Number(START + MINUTE_NS), dueNs: endsNs, isFollowed: false },
  ...{ tokens: createTokens(['requests'], { requests: left }, 0.5), next },
})

const steps = fc.array(
  fc.record({
    elapsedMs: fc.oneof(fc.nat(500), fc.integer({ min: -2000, max: 90_000 })),
    /** Charged by another node, so that another item is cached. */
    cost: fc.option(fc.integer({ min: 1, max: 40 })),
    isResized: fc.boolean(),
    left: fc.nat(20),
  }),
  { minLength: 1, maxLength: 30 },
)

/** A bucket in the cache, with leases, whose states both forms compute. */
const createBoth = (limit: EffectiveLimit) => {
  const bucket = bucketOf(limit)
  const cached = new CachedStates(bucket)
  const timeOf = createLiveTimes()
  let [now, monotonic, item]: [bigint, bigint, BucketItem] = [START, 0n, Object.freeze({})]
  const clock = { now: () => now, monotonic: () => monotonic }
  const leases = createLeases({ clock, ttlNs: SECOND_NS, follows: false })
  const leased = leases.of({ bucket: ID, limits: [limit] })
  return {
    moveBy(ms: number): void {
      now += BigInt(ms) * MS_NS
      monotonic += BigInt(Math.abs(ms)) * MS_NS
    },
    lease(left: number): void {
      leased.first = leaseOf(left, Number(monotonic + 100n * MS_NS), leased.first)
    },
    charge(by: EffectiveLimit, cost: number): void {
      item = charged(by, cost, now)
    },
    compare(): void {
      const states: LimitState[] = []
      const isAdded = cached.addTo(states, item, leased, { now, monotonic }, timeOf(now))
      const view = { bucket, limits: [limit], item, held: leases.heldOf(leased) }
      expect(states).toEqual(isAdded ? limitStates(view, now) : [])
      const isExact = limit.algorithm.live?.({}, timeOf(now)) !== undefined
      if (item.rpm_limit === undefined) expect(isAdded).toBe(isExact)
    },
  }
}

test.prop([size, size, fc.constantFrom(0, 0.3, 0.99), steps], { numRuns: runs(500) })(
  'are the states of the general path, for every item and time',
  (given, other, headroom, plan) => {
    const [limit, resized] = [limitOf(given, headroom), limitOf(other, 0)]
    const both = createBoth(limit)
    for (const { elapsedMs, cost, isResized, left } of plan) {
      both.moveBy(elapsedMs)
      both.lease(left)
      if (cost !== null) both.charge(isResized ? resized : limit, cost)
      both.compare()
    }
  },
)
