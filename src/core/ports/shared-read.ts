import { MS_NS } from '../model/time.ts'
import type { Clock } from './platform.ts'

/** How long a read is shared after it began. */
interface MaxAge {
  readonly clock: Pick<Clock, 'monotonic'>
  readonly ms: number
}

/**
 * Shares one read among all callers while it is in progress, and until `maxAge` after it began; by default until the process
 * ends, with 0 only while it is in progress. Failures are not cached. Values by key: `createCachedReads`.
 */
export const sharedRead = <T>(read: () => Promise<T>, maxAge?: MaxAge | 0): (() => Promise<T>) => {
  let latest: { readonly result: Promise<T>; readonly at: bigint; isPending: boolean } | undefined
  const start = (at: bigint): Promise<T> => {
    const reading = { result: read(), at, isPending: true }
    latest = reading
    reading.result.then(
      () => {
        reading.isPending = false
      },
      () => {
        latest = undefined
      },
    )
    return reading.result
  }
  if (maxAge === undefined) return () => latest?.result ?? start(0n)
  if (maxAge === 0) return () => (latest?.isPending ? latest.result : start(0n))
  const maxAgeNs = BigInt(maxAge.ms) * MS_NS
  return () => {
    const now = maxAge.clock.monotonic()
    const isShared = latest !== undefined && (latest.isPending || now - latest.at < maxAgeNs)
    return latest !== undefined && isShared ? latest.result : start(now)
  }
}
