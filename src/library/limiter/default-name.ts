import { invalid } from '../../core/model/errors.ts'
import type { Logger } from '../../core/ports/platform.ts'
import type { LimiterStore } from '../stores/limiter-store.ts'

export const DEFAULT_NAME = 'app'

/**
 * Stores on which a limiter has the default name, by their buckets, which a copy of a store shares. Names cannot be derived
 * instead: from the limits, a changed limit would begin with full buckets; from the position in the code, a
 * deployment that reorders it would swap buckets while old processes still run.
 */
const claimed = new WeakSet<LimiterStore['buckets']>()

/** Limiters with the default name by table, each on a store of its own. No error: several processes do the same. */
const claimedTables = new Map<string, number>()

/**
 * Takes the default name on a store. Throws `ZaelError('invalid_request')` where it is taken; logs a warning where it is
 * taken on another store of the same table. Returns a function that frees it.
 */
export const claimDefaultName = ({ buckets, table }: LimiterStore, logger: Logger): (() => void) => {
  if (claimed.has(buckets)) {
    throw invalid(
      'name',
      'be given: another limiter on this store has none, and they would share their buckets; for example ' +
        "name: 'login', or one name for both if sharing is intended",
    )
  }
  claimed.add(buckets)
  const before = countClaims(table, 1)
  if (before > 0) logger.warn('limiters without a name share their buckets', { table, hint: HINT })
  let isClaimed = true
  return () => {
    if (!isClaimed) return
    isClaimed = false
    claimed.delete(buckets)
    countClaims(table, -1)
  }
}

const HINT = 'give each limiter a name, or one name for all if sharing is intended'

/** Returns the count before. */
const countClaims = (table: string | undefined, by: number): number => {
  if (table === undefined) return 0
  const before = claimedTables.get(table) ?? 0
  if (before + by > 0) claimedTables.set(table, before + by)
  else claimedTables.delete(table)
  return before
}
