import type { BucketItem } from '../bucket/conditional-write.ts'
import type { LimitInForce } from '../bucket/limit-in-force.ts'
import { fieldsInForce } from '../charging/changed-limits.ts'
import type { Cost } from '../limit/meter.ts'
import type { BucketPlan } from '../resolving/resolve-buckets.ts'
import type { LimitState, Violation } from './decision.ts'

/** A bucket's state as a decision found or left it. */
export interface BucketView {
  readonly plan: BucketPlan
  /** The limits decided by; those of the plan, unless the bucket knew a later change. */
  readonly limits: readonly LimitInForce[]
  /** undefined: nothing is stored, all is full */
  readonly item: BucketItem | undefined
}

/** Every limit of a bucket as people see it at `now`. */
export const limitStates = (view: BucketView, now: bigint): readonly LimitState[] =>
  view.limits.map((inForce) => limitState(view, inForce, now))

/** Every limit of the bucket that `cost` does not fit, and when it would. */
export const violationsOf = (view: BucketView, cost: Cost, now: bigint): readonly Violation[] =>
  view.limits.flatMap((inForce) => {
    const { meter } = inForce.limit
    const requested = cost[meter]
    if (requested === undefined) return []
    const retryAfterNs = waitFor(view, inForce, requested, now)
    return retryAfterNs === 0n
      ? []
      : [{ state: limitState(view, inForce, now), meter, requested, retryAfterNs }]
  })

/** The greatest wait; null where one of them never ends, and 0 of none. */
export const longestWait = (waits: readonly (bigint | null)[]): bigint | null =>
  waits.reduce<bigint | null>(
    (longest, wait) => (longest === null || wait === null ? null : wait > longest ? wait : longest),
    0n,
  )

/** ns until `amount` passes the limit; null: it never will. */
const waitFor = ({ item }: BucketView, inForce: LimitInForce, amount: number, now: bigint): bigint | null =>
  amount > inForce.algorithm.capacity
    ? null
    : inForce.algorithm.wait(fieldsInForce(item, inForce, now), amount, now)

const limitState = ({ plan, item }: BucketView, inForce: LimitInForce, now: bigint): LimitState => {
  const { limit, algorithm, source } = inForce
  const { available, resetNs } = algorithm.level(fieldsInForce(item, inForce, now), now)
  return {
    bucket: plan.bucket,
    entityId: plan.entityId,
    resource: plan.resource,
    limit,
    capacity: algorithm.capacity,
    available,
    used: algorithm.capacity - available,
    resetNs,
    windowNs: algorithm.windowNs,
    source,
    own: plan.isOwn,
  }
}
