import type { BucketStore } from '../bucket/bucket-store.ts'
import { demandsOf } from '../bucket/charge-plan.ts'
import type { LimitInForce } from '../bucket/limit-in-force.ts'
import { receiptOf } from '../bucket/receipt.ts'
import { algorithmOf, scaled } from '../bucket/registry.ts'
import { createBucketWriter } from '../charge/bucket-writer.ts'
import { chargeBucket } from '../charge/charge-bucket.ts'
import { settleBucket } from '../charge/settle-bucket.ts'
import { isEnforced, type OnUnavailable } from '../model/limit.ts'
import type { Cost } from '../model/meter.ts'
import { SECOND_NS } from '../model/time.ts'
import { type CacheFactory, noMetrics } from '../ports/platform.ts'
import type { BucketPlan } from '../resolve/bucket-plan.ts'
import type { Violation } from './decision.ts'
import { type BucketView, violationsOf } from './limit-state.ts'

/** What is decided for buckets that cannot be reached. */
export interface FallbackDecision {
  /** Without violations: a limit says deny, and the request is refused as unavailable. */
  readonly isDenied: boolean
  /** What the limiter in memory denied. */
  readonly violations: readonly Violation[]
}

export interface Fallback {
  decide(plans: readonly BucketPlan[], cost: Cost, now: bigint): Promise<FallbackDecision>
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
  const ruleOf = ({ limits }: BucketPlan, cost: Cost): OnUnavailable => {
    const rules = demandsOf(limits, cost)
      .filter(({ inForce }) => isEnforced(inForce.limit))
      .map(({ inForce }) => inForce.limit.onUnavailable ?? onUnavailable)
    return STRICTEST_FIRST.find((rule) => rules.includes(rule)) ?? 'allow'
  }
  const chargeShare = async (plan: BucketPlan, cost: Cost, now: bigint) => {
    const limits = plan.limits.map((inForce) => shareOf(inForce, localShare))
    const order = { bucket: plan.bucket, limits, cost, now, counters: [], reread: async () => limits }
    const { result, item } = await chargeBucket(writer, order)
    return { result, view: { plan, limits, item } }
  }
  const giveBack = (view: BucketView, cost: Cost, now: bigint): Promise<unknown> => {
    const { limits, item, plan } = view
    const receipt = receiptOf({ bucket: plan.bucket, limits, item }, cost, now)
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
      const refused = parts.filter(({ result }) => result !== 'charged')
      const granted = refused.length > 0 ? parts.filter(({ result }) => result === 'charged') : []
      await Promise.all(granted.map(({ view }) => giveBack(view, cost, now)))
      const violations = refused.flatMap(({ view }) => violationsFor(view, cost, now))
      return { isDenied: refused.length > 0, violations }
    },
  }
}

/** What is too much for the share may yet pass once the store is back. */
const violationsFor = (view: BucketView, cost: Cost, now: bigint): readonly Violation[] =>
  violationsOf(view, cost, now).map((violation) => ({
    ...violation,
    retryAfterNs: violation.retryAfterNs ?? ASKED_AGAIN_NS,
  }))

const shareOf = (inForce: LimitInForce, share: number): LimitInForce => ({
  ...inForce,
  algorithm: algorithmOf(scaled(inForce.limit.size, share)),
})
