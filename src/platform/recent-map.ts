/** As long as an id may be. Clients choose keys: without a bound, 40,000 of 16 KB would take 640 MB. */
const MAX_KEY_LENGTH = 128

/** A bounded map that drops values that were not read for long, and keeps none of a key of over 128 characters. */
export interface RecentMap<V> {
  get(key: string | number): V | undefined
  set(key: string | number, value: V): void
}

/**
 * Keeps between `max` and twice `max` values, in two generations: once the younger has `max`, it becomes the older one, whose
 * values are dropped unless they are read. A read is one look-up of a `Map`, where a list by recency writes to five arrays.
 */
export const createRecentMap = <V>(max: number): RecentMap<V> => {
  let younger = new Map<string | number, V>()
  let older = new Map<string | number, V>()
  const set = (key: string | number, value: V): void => {
    if (typeof key === 'string' && key.length > MAX_KEY_LENGTH) return
    if (younger.size >= max) {
      older = younger
      younger = new Map()
    }
    younger.set(key, value)
  }
  return {
    get(key) {
      const found = younger.get(key)
      if (found !== undefined) return found
      const previous = older.get(key)
      if (previous !== undefined) set(key, previous)
      return previous
    },
    set,
  }
}
