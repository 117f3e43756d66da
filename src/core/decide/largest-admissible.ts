import { boundOf } from '../bucket/effective-limit.ts'
import { isEnforced } from '../model/limit.ts'
import { type Cost, IN_FLIGHT, type Meter } from '../model/meter.ts'
import type { EntityResolution } from '../resolve/resolve.ts'

/** By resolution, for as long as it is cached. */
const cached = new WeakMap<EntityResolution, Cost>()

/**
 * For each meter, the largest amount that a single request can ever be allowed: the least capacity of the enforced limits of all
 * buckets, less the share that is reserved for callers of a higher priority. A meter without a limit is absent.
 */
export const largestAdmissible = (resolution: EntityResolution): Cost => {
  const known = cached.get(resolution)
  if (known !== undefined) return known
  const least: Partial<Record<Meter, number>> = {}
  for (const { limits } of resolution.buckets)
    for (const effective of limits) {
      const { meter } = effective.limit
      if (meter !== IN_FLIGHT && isEnforced(effective.limit))
        least[meter] = Math.min(least[meter] ?? Number.POSITIVE_INFINITY, boundOf(effective))
    }
  cached.set(resolution, least)
  return least
}
