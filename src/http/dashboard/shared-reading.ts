import type { Cache, CacheFactory, Clock } from '../../core/ports/platform.ts'

interface Reading<A> {
  readonly at: bigint
  readonly answer: Promise<A>
}

interface Options<R, A> {
  readonly clock: Clock
  readonly caches: CacheFactory
  /** A reading is shared for so long. */
  readonly maxAgeMs: number
  /** Two requests of the same key are the same. */
  readonly keyOf: (request: R) => string
  readonly read: (request: R) => Promise<A>
}

const DIFFERENT_REQUESTS = 100

/** Reads once for all who ask for the same within `maxAgeMs`. */
export const createSharedReading = <R, A>({ clock, caches, maxAgeMs, keyOf, read }: Options<R, A>) => {
  const readings: Cache<Reading<A>> = caches({ max: DIFFERENT_REQUESTS })
  const maxAgeNs = BigInt(maxAgeMs) * 1_000_000n
  return (request: R): Promise<A> => {
    const key = keyOf(request)
    const now = clock.monotonic()
    const known = readings.get(key)
    if (known !== undefined && now - known.at < maxAgeNs) return known.answer
    const answer = read(request)
    answer.catch(() => readings.delete(key))
    readings.set(key, { at: now, answer })
    return answer
  }
}
