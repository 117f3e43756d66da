import { StoreUnavailable } from '../model/errors.ts'
import type { Cache, CacheFactory, Clock } from './platform.ts'
import { sharedRead } from './shared-read.ts'

/** A value that was read. */
export interface CachedRead<T> {
  readonly value: T
  /** The time before the read, by the monotonic clock in ns: a change during the read makes the value stale. */
  readonly readNs: bigint
  /** The number of calls of `forget` before the read. */
  readonly epoch: number
  /** Whether a later read has taken its place in the cache. */
  isReplaced: boolean
}

/**
 * Values by key, cached with their ages. Concurrent calls share one read. The absence of a value is cached too, separately, so
 * that requests for keys that do not exist displace no values. Failures are not cached.
 */
export interface CachedReads<R, T> {
  /** The cached value itself if it is younger than `maxAgeNs`, or a promise of the read. With 0, each call reads. */
  get(request: R, maxAgeNs: bigint): T | Promise<T>
  /** As `get`, for many requests with different keys, in their order. */
  getAll(requests: readonly R[], maxAgeNs: bigint): Promise<readonly CachedRead<T>[]>
  /** The cached value if it is younger than `maxAgeNs`. */
  peek(request: R, maxAgeNs: bigint): CachedRead<T> | undefined
  /** The cached value of any age. */
  cached(request: R): CachedRead<T> | undefined
  /** Whether neither `forget` nor a later read has superseded the value. An evicted value stays current. */
  isCurrent(read: CachedRead<T>): boolean
  /**
   * Drops the values of a group and all absences; without a group, everything. No later call shares a read in progress, whose
   * value is cached only if it is of another group.
   */
  forget(group?: string): void
}

interface CachedReadsOptions<R, T> extends ValuesOptions<T> {
  readonly clock: Pick<Clock, 'monotonic'>
  /** Requests with the same key have the same value. */
  readonly keyOf: (request: R) => string
  /** Resolves to undefined if there is no value. */
  readonly read: (request: R, maxAgeNs: bigint) => Promise<T>
  /** Reads the values of two or more requests, in their order. Default: each by itself. */
  readonly readAll?: (requests: readonly R[]) => Promise<readonly T[]>
  /** The time at which the oldest part of a value was read. Default: the time before the read. */
  readonly readNsOf?: (value: T) => bigint
  /** Whether a cached value can still be used, however young it is. Default: yes. */
  readonly isValid?: (value: T) => boolean
  /** Whether a cached value of any age is returned if the store is unavailable. Default: no. */
  readonly isStaleAllowed?: boolean
}

export const createCachedReads = <R, T>(options: CachedReadsOptions<R, T>): CachedReads<R, T> => {
  const { clock, keyOf, read, readNsOf, isStaleAllowed = false } = options
  const { isValid = () => true } = options
  const values = createValues(options)
  const readings = createReadings<T>(values.epoch)

  const fresh = (key: string, maxAgeNs: bigint): CachedRead<T> | undefined => {
    const known = values.get(key)
    if (known === undefined || clock.monotonic() - known.readNs >= maxAgeNs) return undefined
    return isValid(known.value) ? known : undefined
  }

  const perform = async (key: string, load: () => Promise<T>): Promise<CachedRead<T>> => {
    const [startedNs, epoch] = [clock.monotonic(), values.epoch()]
    try {
      const value = await load()
      return values.keep(key, { value, readNs: readNsOf?.(value) ?? startedNs, epoch, isReplaced: false })
    } catch (error) {
      const stale = isStaleAllowed && error instanceof StoreUnavailable ? values.get(key) : undefined
      if (stale === undefined) throw error
      return stale
    }
  }

  const find = (key: string, maxAgeNs: bigint, load: () => Promise<T>) =>
    fresh(key, maxAgeNs) ?? readings.share(key, maxAgeNs, () => perform(key, load))

  return {
    get(request, maxAgeNs) {
      const found = find(keyOf(request), maxAgeNs, () => read(request, maxAgeNs))
      return found instanceof Promise ? found.then(({ value }) => value) : found.value
    },
    getAll(requests, maxAgeNs) {
      const load = createBatch(options, maxAgeNs)
      return Promise.all(requests.map((request) => find(keyOf(request), maxAgeNs, () => load(request))))
    },
    peek: (request, maxAgeNs) => fresh(keyOf(request), maxAgeNs),
    cached: (request) => values.get(keyOf(request)),
    isCurrent: values.isCurrent,
    forget: values.forget,
  }
}

interface ValuesOptions<T> {
  readonly caches: CacheFactory
  /** The maximum number of cached values, of cached absences, and of groups. */
  readonly max: number
  /** The group by which `forget` drops a value. */
  readonly groupOf?: (value: Exclude<T, undefined>) => string
}

/** The cached values. `epoch` is the number of calls of `forget`, by which it drops values of any number at once. */
const createValues = <T>({ caches, max, groupOf }: ValuesOptions<T>) => {
  const present: Cache<CachedRead<T>> = caches({ max })
  const absent: Cache<CachedRead<T>> = caches({ max })
  const forgotten = new Map<string, number>()
  let epoch = 0
  let firstEpoch = 0

  const isCurrent = ({ value, epoch: readIn, isReplaced }: CachedRead<T>): boolean => {
    if (isReplaced || readIn < firstEpoch) return false
    if (readIn === epoch) return true
    return isPresent(value) && readIn >= (forgotten.get(groupOf?.(value) ?? '') ?? 0)
  }
  const get = (key: string): CachedRead<T> | undefined => {
    const read = present.get(key) ?? absent.get(key)
    return read !== undefined && isCurrent(read) ? read : undefined
  }
  return {
    epoch: () => epoch,
    isCurrent,
    get,
    /** Returns its argument, which is not cached if a change or a later read has superseded it. */
    keep(key: string, read: CachedRead<T>): CachedRead<T> {
      const previous = get(key)
      if (!isCurrent(read) || (previous !== undefined && previous.readNs > read.readNs)) return read
      if (previous !== undefined) previous.isReplaced = true
      const [holds, other] = isPresent(read.value) ? [present, absent] : [absent, present]
      other.delete(key)
      holds.set(key, read)
      return read
    },
    forget(group?: string): void {
      epoch += 1
      if (group !== undefined && forgotten.size < max) {
        forgotten.set(group, epoch)
        return
      }
      firstEpoch = epoch
      forgotten.clear()
    },
  }
}

const isPresent = <T>(value: T): value is Exclude<T, undefined> => value !== undefined

interface Reading<T> {
  readonly result: Promise<CachedRead<T>>
  readonly maxAgeNs: bigint
  readonly epoch: number
}

/** The reads in progress. */
const createReadings = <T>(epochNow: () => number) => {
  const readings = new Map<string, Reading<T>>()
  return {
    /** A read for a smaller maximum age is shared too. */
    share(key: string, maxAgeNs: bigint, start: () => Promise<CachedRead<T>>): Promise<CachedRead<T>> {
      const epoch = epochNow()
      const other = maxAgeNs > 0n ? readings.get(key) : undefined
      if (other !== undefined && other.epoch === epoch && other.maxAgeNs <= maxAgeNs) return other.result
      const reading = { result: start(), maxAgeNs, epoch }
      readings.set(key, reading)
      const end = (): void => {
        if (readings.get(key) === reading) readings.delete(key)
      }
      reading.result.then(end, end)
      return reading.result
    },
  }
}

type BatchOptions<R, T> = Pick<CachedReadsOptions<R, T>, 'read' | 'readAll'>

/** Loads together all values that are requested in the same turn. */
const createBatch = <R, T>({ read, readAll }: BatchOptions<R, T>, maxAgeNs: bigint) => {
  if (readAll === undefined) return (request: R): Promise<T> => read(request, maxAgeNs)
  const requests: R[] = []
  const all = sharedRead(async () => {
    // the other requests follow in this turn
    await undefined
    return requests.length > 1 ? readAll(requests) : Promise.all(requests.map((only) => read(only, maxAgeNs)))
  })
  return async (request: R): Promise<T> => {
    const position = requests.push(request) - 1
    for (const value of (await all()).slice(position, position + 1)) return value
    throw new Error('a read returned too few values')
  }
}
