import { MS_NS } from '../core/model/time.ts'
import type { Cache, CacheFactory, Clock } from '../core/ports/platform.ts'

/** Values by key, cached for a while; the absence of a value is cached too. */
export interface ReadThroughCache<T> {
  /** The cached value itself, or a promise of the read, which rejects if the read fails. Failures are not cached. */
  get(key: string): Promise<T | undefined> | T | undefined
  /** Drops the values of this group that were read until now, and every cached absence. */
  forget(group: string): void
}

export interface ReadThroughOptions<T> {
  readonly clock: Clock
  readonly caches: CacheFactory
  readonly maxAgeMs: number
  /** The maximum number of values, and of absent keys. */
  readonly max: number
  /** The group by which a value is dropped. */
  readonly groupOf: (value: T) => string
  readonly read: (key: string) => Promise<T | undefined>
}

interface Entry<T> {
  readonly value: T | undefined
  /** Monotonic clock before the read, ns: a change during the read makes it stale. */
  readonly readAt: bigint
}

interface Forgotten {
  readonly at: bigint
}

export const createReadThroughCache = <T>(options: ReadThroughOptions<T>): ReadThroughCache<T> => {
  const { clock, caches, max, groupOf } = options
  const present: Cache<Entry<T>> = caches({ max })
  const absent: Cache<Entry<T>> = caches({ max })
  const forgotten: Cache<Forgotten> = caches({ max })
  const maxAgeNs = BigInt(options.maxAgeMs) * MS_NS
  let lastForgotten = -1n

  const isFresh = ({ value, readAt }: Entry<T>): boolean => {
    if (clock.monotonic() - readAt >= maxAgeNs) return false
    if (readAt > lastForgotten) return true
    if (value === undefined) return false
    return readAt > (forgotten.get(groupOf(value))?.at ?? -1n)
  }

  const read = async (key: string): Promise<T | undefined> => {
    const readAt = clock.monotonic()
    const value = await options.read(key)
    const [holds, other] = value === undefined ? [absent, present] : [present, absent]
    other.delete(key)
    holds.set(key, { value, readAt })
    return value
  }

  return {
    get(key) {
      const entry = present.get(key) ?? absent.get(key)
      return entry !== undefined && isFresh(entry) ? entry.value : read(key)
    },
    forget(group) {
      lastForgotten = clock.monotonic()
      forgotten.set(group, { at: lastForgotten })
    },
  }
}
