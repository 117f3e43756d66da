import { limitChargesOf } from '../bucket/charge-plan.ts'
import type { CachedBuckets } from '../charge/cached-buckets.ts'
import type { Leases } from '../charge/leases.ts'
import type { Cost } from '../model/meter.ts'
import type { ApplicableBucket } from '../resolve/resolution.ts'
import { type BucketView, cachedView, violationsOf } from './limit-state.ts'

/*
 * The order in which the buckets of a request are charged. It determines the number of writes, never the decision: any order
 * results in the same one.
 */

/** The buckets of a stage are charged concurrently, once those of all previous stages have allowed. */
export type Stages = readonly (readonly ApplicableBucket[])[]

export interface OrderDependencies {
  readonly store: CachedBuckets
  readonly leases: Leases
}

export const chargingOrder = (
  deps: OrderDependencies,
  buckets: readonly ApplicableBucket[],
  cost: Cost,
  now: bigint,
): Stages => doubtfulFirst(deps, buckets, cost, now) ?? unsharedLast(deps, buckets, cost) ?? [buckets]

/**
 * Buckets whose cached state denies the cost are charged first. So a caller who exceeds their own limit takes nothing from their
 * parents, not even for a moment, and causes one write. Requires a cached state of every bucket. If the prediction is wrong, the
 * request takes longer.
 */
const doubtfulFirst = (
  deps: OrderDependencies,
  buckets: readonly ApplicableBucket[],
  cost: Cost,
  now: bigint,
): Stages | undefined => {
  const views = buckets.map((bucket) => cachedView(deps.store, bucket))
  const isDoubtful = (view: BucketView): boolean => violationsOf(view, cost, now).length > 0
  const doubtful = views.filter(isDoubtful).map(({ bucket }) => bucket)
  if (doubtful.length === 0 || views.some(({ item }) => item === undefined)) return undefined
  return [doubtful, buckets.filter((bucket) => !doubtful.includes(bucket))]
}

/**
 * For busy parents (docs/decisions/032-renew-leases-early.md): if leases pay for all buckets but one, or will soon because many
 * requests share them, that one is charged last. By then all others have allowed, so the same write counts the use: a request of
 * a quiet key below a busy parent takes one write, not two.
 */
const unsharedLast = (
  { store, leases }: OrderDependencies,
  buckets: readonly ApplicableBucket[],
  cost: Cost,
): Stages | undefined => {
  const unpaid = buckets.filter(
    ({ id, limits }) =>
      limitChargesOf(limits, cost).length > 0 &&
      !(leases.isOn && leases.canSpend({ bucket: id, limits }, cost)),
  )
  const isShared = ({ id, limits }: ApplicableBucket): boolean =>
    leases.extraForMany({ bucket: id, limits, cost }, store.cached(id)) !== undefined
  const unshared = unpaid.length > 1 ? unpaid.filter((bucket) => !isShared(bucket)) : unpaid
  const [last] = unshared
  if (last === undefined || unshared.length > 1) return undefined
  return [buckets.filter((bucket) => bucket !== last), [last]]
}
