import { LRUCache } from 'lru-cache'
import type { CacheFactory } from '../core/ports/platform.ts'

/** Caches that hold at most `max` values and forget what was not used for longest. */
export const lruCaches: CacheFactory = <V extends object>({ max }: { readonly max: number }) => {
  const cache = new LRUCache<string, V>({ max })
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
