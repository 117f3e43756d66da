import { setTimeout as pause } from 'node:timers/promises'
import { LRUCache } from 'lru-cache'
import { MS_NS } from '../core/model/time.ts'
import type { CacheFactory, Clock } from '../core/ports/platform.ts'

/** A runtime without `process` has ms with fractions: whole ns are exact in a number for 104 days. */
const monotonic = (): bigint =>
  globalThis.process?.hrtime?.bigint?.() ?? BigInt(Math.round(performance.now() * Number(MS_NS)))

/** The machine's clocks. The wall clock ticks in milliseconds. */
export const systemClock: Clock = {
  now: () => BigInt(Date.now()) * MS_NS,
  monotonic,
}

const SHORTEST_MS = 5

const LONGEST_MS = 25

/** Waits a short while, at random, so that those who failed together do not try again together; longer from try to try. */
export const shortPause = (tries = 1): Promise<void> =>
  pause((SHORTEST_MS + Math.random() * (LONGEST_MS - SHORTEST_MS)) * 2 ** (tries - 1))

/** Caches that hold at most `max` values and forget what was not used for longest. */
export const lruCaches: CacheFactory = <V extends object>({ max }: { readonly max: number }) => {
  // with `max`, the library allocates room for all values at once: 2.8 MB for 100,000
  const cache = new LRUCache<string, V>({ maxSize: max, sizeCalculation: () => 1 })
  return {
    get: (key: string) => cache.get(key),
    set: (key: string, value: V) => {
      cache.set(key, value)
    },
    delete: (key: string) => {
      cache.delete(key)
    },
  }
}
