import type { Cache, CacheFactory } from '../../core/ports/cache.ts'
import type { Clock } from '../../core/ports/clock.ts'
import type { EntityOverview, OverviewRequest } from './entity-overview.ts'

interface Reading {
  readonly at: bigint
  readonly overview: Promise<EntityOverview>
}

interface Options {
  readonly clock: Clock
  readonly caches: CacheFactory
  /** A reading is shared for so long. */
  readonly maxAgeMs: number
  readonly read: (request: OverviewRequest) => Promise<EntityOverview>
}

const DIFFERENT_REQUESTS = 100

/** Reads the overview once for all viewers that ask for the same within `maxAgeMs`. */
export const createSharedOverview = ({ clock, caches, maxAgeMs, read }: Options) => {
  const readings: Cache<Reading> = caches({ max: DIFFERENT_REQUESTS })
  const maxAgeNs = BigInt(maxAgeMs) * 1_000_000n
  return (request: OverviewRequest): Promise<EntityOverview> => {
    const key = JSON.stringify([request.limit, request.cursor, request.q])
    const now = clock.monotonic()
    const known = readings.get(key)
    if (known !== undefined && now - known.at < maxAgeNs) return known.overview
    const overview = read(request)
    overview.catch(() => readings.delete(key))
    readings.set(key, { at: now, overview })
    return overview
  }
}
