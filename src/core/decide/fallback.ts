import type { BucketStore } from '../bucket/bucket-store.ts'
import { limitChargesOf } from '../bucket/charge-plan.ts'
import type { EffectiveLimit } from '../bucket/effective-limit.ts'
import { receiptOf } from '../bucket/receipt.ts'
import { algorithmOf, scaled } from '../bucket/registry.ts'
import { createBucketWriter } from '../charge/bucket-writer.ts'
import { chargeBucket } from '../charge/charge-bucket.ts'
import { settleBucket } from '../charge/settle-bucket.ts'
import { isEnforced, type OnUnavailable } from '../model/limit.ts'
import type { Cost } from '../model/meter.ts'
import { SECOND_NS } from '../model/time.ts'
import { type CacheFactory, noMetrics } from '../ports/platform.ts'
import type { ApplicableBucket } from '../resolve/resolution.ts'
import type { Violation } from './decision.ts'
import { type BucketView, violationsOf } from './limit-state.ts'

/** What is decided for buckets that cannot be reached. */
export interface FallbackDecision {
  /** Without violations: a limit says deny, and the request is denied as unavailable. */
  readonly isDenied: boolean
  /** What the limiter in memory denied. */
  readonly violations: readonly Violation[]
}

export interface Fallback {
  decide(plans: readonly ApplicableBucket[], cost: Cost, now: bigint): Promise<FallbackDecision>
}

export interface FallbackOptions {
  readonly localBuckets: BucketStore
  readonly newCache: CacheFactory
  readonly onUnavailable: OnUnavailable
  readonly localShare: number
}

const STRICTEST_FIRST: readonly OnUnavailable[] = ['deny', 'local', 'allow']

const MAX_LOCAL_BUCKETS = 10_000

/** After this long the store is asked again, ns. */
const ASKED_AGAIN_NS = SECOND_NS

/**
 * Decides by each bucket's strictest `on_unavailable` among the limits that the cost touches. `local` grants a share of the
 * limit in this process alone, of all buckets or of none.
 */
export const createFallback = ({
  localBuckets,
  newCache,
  onUnavailable,
  localShare,
}: FallbackOptions): Fallback => {
  const writer = createBucketWriter(localBuckets, newCache({ max: MAX_LOCAL_BUCKETS }), noMetrics)
  const ruleOf = ({ limits }: ApplicableBucket, cost: Cost): OnUnavailable => {
    const rules = limitChargesOf(limits, cost)
      .filter(({ effective }) => isEnforced(effective.limit))
      .map(({ effective }) => effective.limit.onUnavailable ?? onUnavailable)
    return STRICTEST_FIRST.find((rule) => rules.includes(rule)) ?? 'allow'
  }
  const chargeShare = async (plan: ApplicableBucket, cost: Cost, now: bigint) => {
    const limits = plan.limits.map((effective) => shareOf(effective, localShare))
    const order = { bucket: plan.id, limits, cost, now, counters: [], reread: async () => limits }
    const { result, item } = await chargeBucket(writer, order)
    return { result, view: { bucket: plan, limits, item } }
  }
  const refund = (view: BucketView, cost: Cost, now: bigint): Promise<unknown> => {
    const { limits, item, bucket: plan } = view
    const receipt = receiptOf({ bucket: plan.id, limits, item }, cost, now)
    const corrections = receipt.limits.map((limit) => ({ receipt: limit, difference: -limit.charged }))
    return settleBucket(writer, {
      receipt,
      corrections,
      moment: () => ({ now, elapsedNs: 0n }),
      counters: [],
    })
  }
  return {
    async decide(plans, cost, now) {
      if (plans.some((plan) => ruleOf(plan, cost) === 'deny')) return { isDenied: true, violations: [] }
      const local = plans.filter((plan) => ruleOf(plan, cost) === 'local')
      const parts = await Promise.all(local.map((plan) => chargeShare(plan, cost, now)))
      const denied = parts.filter(({ result }) => result !== 'charged')
      const granted = denied.length > 0 ? parts.filter(({ result }) => result === 'charged') : []
      await Promise.all(granted.map(({ view }) => refund(view, cost, now)))
      const violations = denied.flatMap(({ view }) => violationsFor(view, cost, now))
      return { isDenied: denied.length > 0, violations }
    },
  }
}

/** What is too much for the share may yet pass once the store is back. */
const violationsFor = (view: BucketView, cost: Cost, now: bigint): readonly Violation[] =>
  violationsOf(view, cost, now).map((violation) => ({
    ...violation,
    retryAfterNs: violation.retryAfterNs ?? ASKED_AGAIN_NS,
  }))

const shareOf = (effective: EffectiveLimit, share: number): EffectiveLimit => ({
  ...effective,
  algorithm: algorithmOf(scaled(effective.limit.size, share)),
})
