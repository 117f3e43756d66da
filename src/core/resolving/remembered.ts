import type { Cache, CacheFactory } from '../ports/cache.ts'
import type { Clock } from '../ports/clock.ts'
import type { CachedConfig, ConfigReads } from './cached-config.ts'

/** What was worked out from the configuration, kept as long as that may be believed. */
export interface Remembered<T> {
  /**
   * What is known of `key`, from reads no older than `maxAgeNs`; else what `work` makes of new ones. Those who ask while the
   * same is being read wait for that read.
   */
  get(key: string, maxAgeNs: bigint, work: (reads: ConfigReads) => Promise<T>): Promise<T>
  /** What is known of `key`, from reads no older than `maxAgeNs`; undefined where it is to be read. */
  peek(key: string, maxAgeNs: bigint): T | undefined
  forget(): void
}

interface Entry<T> {
  readonly value: T
  /** Steady clock: when the oldest of what it was made of was read. */
  readonly readNs: bigint
}

export const createRemembered = <T>(
  items: CachedConfig,
  clock: Clock,
  newCache: CacheFactory,
  max: number,
): Remembered<T> => {
  const underWay = new Map<string, Promise<Entry<T>>>()
  let entries: Cache<Entry<T>> = newCache<Entry<T>>({ max })

  const readAnew = async (key: string, maxAgeNs: bigint, work: (reads: ConfigReads) => Promise<T>) => {
    const target = entries
    const reads = items.open(maxAgeNs)
    const value = await work(reads)
    const entry = { value, readNs: reads.oldestNs() }
    target.set(key, entry)
    return entry
  }

  const shared = (key: string, read: () => Promise<Entry<T>>): Promise<Entry<T>> => {
    const running = underWay.get(key)
    if (running) return running
    const started = read().finally(() => {
      if (underWay.get(key) === started) underWay.delete(key)
    })
    underWay.set(key, started)
    return started
  }

  const peek = (key: string, maxAgeNs: bigint): T | undefined => {
    const known = entries.get(key)
    return known && clock.monotonic() - known.readNs <= maxAgeNs ? known.value : undefined
  }

  return {
    peek,
    async get(key, maxAgeNs, work) {
      const known = peek(key, maxAgeNs)
      if (known !== undefined) return known
      return (await shared(`${key}#${maxAgeNs}`, () => readAnew(key, maxAgeNs, work))).value
    },
    /** A read under way fills the cache that it began with, so it cannot bring back what is dropped here. */
    forget() {
      entries = newCache<Entry<T>>({ max })
      underWay.clear()
    },
  }
}
