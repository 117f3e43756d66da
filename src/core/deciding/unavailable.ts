import { algorithmOf, scaled } from '../algorithms/registry.ts'
import type { BucketStore } from '../bucket/bucket-store.ts'
import type { LimitInForce } from '../bucket/limit-in-force.ts'
import { createBucketWriter } from '../charging/bucket-writer.ts'
import { chargeBucket } from '../charging/charge-bucket.ts'
import type { OnUnavailable } from '../limit/limit.ts'
import type { Cost } from '../limit/meter.ts'
import type { CacheFactory } from '../ports/cache.ts'
import { noMetrics } from '../ports/metrics.ts'
import type { BucketPlan } from '../resolving/resolve-buckets.ts'
import type { Violation } from './decision.ts'
import { violationsOf } from './limit-states.ts'

/** What is decided for buckets that cannot be reached. */
export interface FallbackDecision {
  /** A limit says deny: the request is refused as unavailable. */
  readonly isDenied: boolean
  /** Some part was decided without the store. */
  readonly isDegraded: boolean
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

/** Decides by each bucket's strictest `on_unavailable`. `local` grants a share of the limit in this process alone. */
export const createFallback = ({
  localBuckets,
  newCache,
  onUnavailable,
  localShare,
}: FallbackOptions): Fallback => {
  const writer = createBucketWriter(localBuckets, newCache({ max: MAX_LOCAL_BUCKETS }), noMetrics)
  const ruleOf = ({ limits }: BucketPlan): OnUnavailable => {
    const rules = limits.map(({ limit }) => limit.onUnavailable ?? onUnavailable)
    return STRICTEST_FIRST.find((rule) => rules.includes(rule)) ?? onUnavailable
  }
  const locally = async (plan: BucketPlan, cost: Cost, now: bigint): Promise<readonly Violation[]> => {
    const limits = plan.limits.map((inForce) => shareOf(inForce, localShare))
    const reread = async () => limits
    const outcome = await chargeBucket(writer, {
      bucket: plan.bucket,
      limits,
      cost,
      now,
      counters: [],
      reread,
    })
    return outcome.result === 'charged' ? [] : violationsOf({ plan, limits, item: outcome.item }, cost, now)
  }
  return {
    async decide(plans, cost, now) {
      const isDenied = plans.some((plan) => ruleOf(plan) === 'deny')
      const local = isDenied ? [] : plans.filter((plan) => ruleOf(plan) === 'local')
      const violations = await Promise.all(local.map((plan) => locally(plan, cost, now)))
      return { isDenied, isDegraded: plans.length > 0, violations: violations.flat() }
    },
  }
}

const shareOf = (inForce: LimitInForce, share: number): LimitInForce => ({
  ...inForce,
  algorithm: algorithmOf(scaled(inForce.limit.size, share)),
})
