import { createHash } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { LRUCache } from 'lru-cache'
import { MS_NS } from '../core/model/time.ts'
import type { CacheFactory, Clock, Moment } from '../core/ports/platform.ts'

/** SHA-256, lower-case hexadecimal. */
export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

/** A runtime without `process` has ms with fractions: whole ns are exact in a number for 104 days. */
const monotonic = (): bigint =>
  globalThis.process?.hrtime?.bigint?.() ?? BigInt(Math.round(performance.now() * Number(MS_NS)))

const momentAt = (ms: number): Moment => ({ now: BigInt(ms) * MS_NS, monotonic: monotonic() })

let lastMs = Number.NaN

let lastMoment = momentAt(0)

/**
 * The machine's clocks. The wall clock ticks in milliseconds. `moment` reads the monotonic clock once per tick: that, and
 * computing ns, take longer than a decision in memory.
 */
export const systemClock: Clock = {
  now: () => BigInt(Date.now()) * MS_NS,
  monotonic,
  moment() {
    const ms = Date.now()
    if (ms !== lastMs) {
      lastMs = ms
      lastMoment = momentAt(ms)
    }
    return lastMoment
  },
}

const SHORTEST_MS = 5

const LONGEST_MS = 25

/** Waits for a short random time, so that callers that failed together do not retry together; doubled after each attempt. */
export const shortPause = (tries = 1): Promise<void> =>
  pause((SHORTEST_MS + Math.random() * (LONGEST_MS - SHORTEST_MS)) * 2 ** (tries - 1))

/** 48 random bits as text: the beginning of the ids of this process's slots. Needs no module of Node. */
export const newSlotPrefix = (): string =>
  btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(6))))
    .replaceAll('+', '-')
    .replaceAll('/', '_')

/** Caches of at most `max` values that drop the least recently used. */
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
