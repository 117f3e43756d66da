import type { BucketStore } from '../bucket/bucket-store.ts'
import { limitChargesOf } from '../bucket/charge-plan.ts'
import type { EffectiveLimit } from '../bucket/effective-limit.ts'
import { receiptOf } from '../bucket/receipt.ts'
import { algorithmOf, scaled } from '../bucket/registry.ts'
import { type CachedBucket, createCachedBuckets } from '../charge/cached-buckets.ts'
import { createTally } from '../charge/counters.ts'
import { settleBucket } from '../charge/settle-bucket.ts'
import { writeCharge } from '../charge/write-charge.ts'
import { isEnforced, type OnUnavailable } from '../model/limit.ts'
import type { Cost } from '../model/meter.ts'
import { SECOND_NS } from '../model/time.ts'
import { type CacheFactory, type Clock, noMetrics } from '../ports/platform.ts'
import type { ApplicableBucket } from '../resolve/resolution.ts'
import type { Violation } from './decision.ts'
import { type BucketView, violationsOf } from './limit-state.ts'

/** The decision for buckets that cannot be reached. */
export interface FallbackDecision {
  /** Without violations: a limit's `on_unavailable` is `deny`, and the request is denied as unavailable. */
  readonly isDenied: boolean
  /** The limits in memory that deny. */
  readonly violations: readonly Violation[]
}

export interface Fallback {
  decide(buckets: readonly ApplicableBucket[], cost: Cost, now: bigint): Promise<FallbackDecision>
}

export interface FallbackOptions {
  readonly localBuckets: BucketStore
  readonly newCache: CacheFactory
  readonly clock: Clock
  readonly onUnavailable: OnUnavailable
  readonly localShare: number
}

const STRICTEST_FIRST: readonly OnUnavailable[] = ['deny', 'local', 'allow']

const MAX_LOCAL_BUCKETS = 10_000

/** The wait of a cost that exceeds this process's share of a limit: the store may be available again by then. */
const AVAILABLE_AGAIN_NS = SECOND_NS

/**
 * Decides each bucket by the strictest `on_unavailable` of its limits on meters of the cost. `local` admits a share of the limit
 * in this process, and charges all such buckets or none.
 */
export const createFallback = (options: FallbackOptions): Fallback => {
  const { localBuckets, newCache, clock, onUnavailable, localShare } = options
  const cache = newCache<CachedBucket>({ max: MAX_LOCAL_BUCKETS })
  const store = createCachedBuckets({ store: localBuckets, cache, clock, metrics: noMetrics })
  const local = { store, tally: createTally(), clock, metrics: noMetrics }

  const ruleOf = ({ limits }: ApplicableBucket, cost: Cost): OnUnavailable => {
    const rules = limitChargesOf(limits, cost)
      .filter(({ effective }) => isEnforced(effective.limit))
      .map(({ effective }) => effective.limit.onUnavailable ?? onUnavailable)
    return STRICTEST_FIRST.find((rule) => rules.includes(rule)) ?? 'allow'
  }
  const chargeShare = async (bucket: ApplicableBucket, cost: Cost) => {
    const limits = bucket.limits.map((effective) => shareOf(effective, localShare))
    const request = { bucket: bucket.id, limits, cost, counts: {}, isLatest: true }
    const { result, item, chargedAt } = await writeCharge(local, request)
    return { result, view: { bucket, limits, item, at: chargedAt } }
  }
  const refund = ({ bucket, limits, item, at }: BucketView & { readonly at: bigint }, cost: Cost) => {
    const receipt = receiptOf({ bucket: bucket.id, limits, item }, cost, at)
    const corrections = receipt.limits.map((limit) => ({ receipt: limit, difference: -limit.charged }))
    const moment = () => ({ now: at, elapsedNs: 0n })
    return settleBucket(store, { receipt, corrections, moment, counters: [] })
  }

  return {
    async decide(buckets, cost, now) {
      if (buckets.some((bucket) => ruleOf(bucket, cost) === 'deny')) return { isDenied: true, violations: [] }
      const granting = buckets.filter((bucket) => ruleOf(bucket, cost) === 'local')
      const parts = await Promise.all(granting.map((bucket) => chargeShare(bucket, cost)))
      const denied = parts.filter(({ result }) => result !== 'charged')
      const granted = denied.length > 0 ? parts.filter(({ result }) => result === 'charged') : []
      await Promise.all(granted.map(({ view }) => refund(view, cost)))
      const violations = denied.flatMap(({ view }) => violationsFor(view, cost, now))
      return { isDenied: denied.length > 0, violations }
    },
  }
}

const violationsFor = (view: BucketView, cost: Cost, now: bigint): readonly Violation[] =>
  violationsOf(view, cost, now).map((violation) => ({
    ...violation,
    retryAfterNs: violation.retryAfterNs ?? AVAILABLE_AGAIN_NS,
  }))

const shareOf = (effective: EffectiveLimit, share: number): EffectiveLimit => ({
  ...effective,
  algorithm: algorithmOf(scaled(effective.limit.size, share)),
})
