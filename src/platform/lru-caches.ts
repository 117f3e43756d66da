import { LRUCache } from 'lru-cache'
import type { CacheFactory } from '../core/ports/platform.ts'

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
