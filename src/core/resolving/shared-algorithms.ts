import type { Algorithm } from '../algorithms/algorithm.ts'
import type { CacheFactory } from '../ports/cache.ts'
import type { BucketPlan } from './bucket-plan.ts'

/** Sizes of limits that are in use at once; far fewer than there are keys. */
const MAX_ALGORITHMS = 1000

/**
 * Gives plans whose limits are of the same size the same arithmetic. An algorithm is some kilobytes of functions, and
 * thousands of resolutions are remembered, most of them of a handful of sizes. Its text says all that it is made of.
 */
export const createSharing = (newCache: CacheFactory): ((plan: BucketPlan) => BucketPlan) => {
  const known = newCache<Algorithm>({ max: MAX_ALGORITHMS })
  const shared = (algorithm: Algorithm): Algorithm => {
    const first = known.get(algorithm.text)
    if (first === undefined) known.set(algorithm.text, algorithm)
    return first ?? algorithm
  }
  return (plan) => ({
    ...plan,
    limits: plan.limits.map((inForce) => ({ ...inForce, algorithm: shared(inForce.algorithm) })),
  })
}
