import type { BucketItem } from '../bucket/conditional-write.ts'
import type { LimitInForce } from '../bucket/limit-in-force.ts'
import { demandsOf, fitsAtAll, waitFor } from '../bucket/plan-charge.ts'
import { type Cost, sumOf } from '../limit/meter.ts'
import { changesIn } from './changed-limits.ts'

/**
 * Which of `costs` fit together, those that come first first: by the state of the bucket, or by the sizes of the limits
 * where none is known (nothing that is stored, or a state kept by other sizes).
 */
export const fitting = (
  limits: readonly LimitInForce[],
  item: BucketItem | undefined,
  costs: readonly Cost[],
  now: bigint,
): readonly boolean[] => {
  const { takeOvers, isLater } = changesIn(item, limits, now, true)
  const state = takeOvers.length > 0 || isLater ? undefined : item
  const passes = (cost: Cost): boolean =>
    demandsOf(limits, cost).every(
      (demand) => fitsAtAll(demand) && (state === undefined || waitFor(state, demand, now) === 0n),
    )
  let taken: Cost = {}
  return costs.map((cost) => {
    const together = sumOf([taken, cost])
    const isIn = passes(together)
    if (isIn) taken = together
    return isIn
  })
}
