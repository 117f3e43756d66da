import type { Cache, CacheFactory, Clock } from '../core/ports/platform.ts'

/** What was read, believed for a while: also that there is nothing. */
export interface ReadThroughCache<T> {
  /** At once what is known, else a promise that throws what reading throws; a failure is not remembered. */
  get(key: string): Promise<T | undefined> | T | undefined
  /** Nothing that was read of this group up to now is believed any more, nor that anything is missing. */
  forget(group: string): void
}

export interface ReadThroughOptions<T> {
  readonly clock: Clock
  readonly caches: CacheFactory
  readonly maxAgeMs: number
  /** Bounds what is kept: so many values, and as many keys under which there is nothing. */
  readonly max: number
  /** What a value belongs to, to be forgotten by. */
  readonly groupOf: (value: T) => string
  readonly read: (key: string) => Promise<T | undefined>
}

interface Entry<T> {
  readonly value: T | undefined
  /** Monotonic, ns, from before the read began: a change during the read makes it stale. */
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
  const maxAgeNs = BigInt(options.maxAgeMs) * 1_000_000n
  let lastForgotten = -1n

  const isFresh = ({ value, readAt }: Entry<T>): boolean => {
    if (clock.monotonic() - readAt >= maxAgeNs) return false
    if (value === undefined) return readAt > lastForgotten
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

/** Made when first asked for; a failure is not kept. */
export const once = <T>(make: () => Promise<T>): (() => Promise<T>) => {
  let made: Promise<T> | undefined
  return () => {
    made ??= make().catch((error: unknown) => {
      made = undefined
      throw error
    })
    return made
  }
}
