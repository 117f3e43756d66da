import { invalid } from '../../core/errors.ts'
import type { LimiterStore } from '../stores/limiter-store.ts'

export const DEFAULT_NAME = 'app'

/**
 * The stores whose buckets a limiter without a name keeps, by their buckets: a copy of a store has the same. Names cannot
 * be derived instead: from the limits, a changed limit would begin with full buckets; from the position in the code, a
 * deployment that reorders it would swap buckets while old processes still run.
 */
const claimed = new WeakSet<LimiterStore['buckets']>()

/** Takes the default name on a store. Throws `ZaelError('invalid_request')` where it is taken. Returns what frees it. */
export const claimDefaultName = ({ buckets }: LimiterStore): (() => void) => {
  if (claimed.has(buckets)) {
    throw invalid(
      'name',
      'be given: another limiter on this store has none, and they would share their buckets; for example ' +
        "name: 'login', or one name for both if sharing is intended",
    )
  }
  claimed.add(buckets)
  let isClaimed = true
  return () => {
    if (isClaimed) claimed.delete(buckets)
    isClaimed = false
  }
}
