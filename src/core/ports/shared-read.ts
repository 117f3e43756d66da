import { MS_NS } from '../model/time.ts'
import type { Cache, CacheFactory, Clock } from './platform.ts'

/** How long a read is shared after it began. */
export interface MaxAge {
  readonly clock: Clock
  /** 0: never, not even while it is in progress. */
  readonly ms: number
}

/**
 * Shares one read among all callers while it is in progress, and until `maxAge` after it began; without `maxAge`, until the
 * process ends. Failures are not cached.
 */
export const sharedRead = <T>(read: () => Promise<T>, maxAge?: MaxAge): (() => Promise<T>) => {
  let latest: { readonly result: Promise<T>; readonly at: bigint; isPending: boolean } | undefined
  const start = (at: bigint): Promise<T> => {
    const reading = { result: read(), at, isPending: true }
    latest = reading
    reading.result.then(
      () => {
        reading.isPending = false
      },
      () => {
        if (latest === reading) latest = undefined
      },
    )
    return reading.result
  }
  if (maxAge === undefined) return () => latest?.result ?? start(0n)
  const maxAgeNs = BigInt(maxAge.ms) * MS_NS
  return () => {
    const now = maxAge.clock.monotonic()
    const isShared = latest !== undefined && maxAgeNs > 0n && (latest.isPending || now - latest.at < maxAgeNs)
    return latest !== undefined && isShared ? latest.result : start(now)
  }
}

interface SharedReadsOptions<R, T> {
  readonly caches: CacheFactory
  readonly maxAge: MaxAge
  /** Requests with the same key share a read. */
  readonly keyOf: (request: R) => string
  readonly read: (request: R) => Promise<T>
}

const MAX_SHARED_READS = 100

/** A shared read per key. */
export const createSharedReads = <R, T>({ caches, maxAge, keyOf, read }: SharedReadsOptions<R, T>) => {
  const reads: Cache<() => Promise<T>> = caches({ max: MAX_SHARED_READS })
  return (request: R): Promise<T> => {
    const key = keyOf(request)
    const known = reads.get(key)
    if (known !== undefined) return known()
    const shared = sharedRead(() => read(request), maxAge)
    reads.set(key, shared)
    return shared()
  }
}
