import type { Cache } from './platform.ts'

/** The most entries of one group: a quarter of the cache. */
const SHARE = 4

interface FairCacheOptions {
  readonly max: number
  /** The owner of a key. */
  readonly groupOf: (key: string) => string
}

/**
 * A bounded map for keys that clients choose: it drops the least recently used entry of a group that has more than a quarter
 * of all entries, or else of the group that was least recently used. So a client that invents keys displaces their own.
 */
export const createFairCache = <V>({ max, groupOf }: FairCacheOptions): Cache<V> => {
  const groups = new Map<string, Map<string, V>>()
  const mostOfGroup = Math.max(1, Math.floor(max / SHARE))
  let size = 0

  const drop = (name: string, group: Map<string, V>, key: string): void => {
    if (group.delete(key)) size -= 1
    if (group.size === 0) groups.delete(name)
  }
  const dropOldestOf = (name: string, group: Map<string, V>): void => {
    const [oldest] = group.keys()
    if (oldest !== undefined) drop(name, group, oldest)
  }
  const makeRoom = (name: string, group: Map<string, V>): void => {
    const [oldest] = groups
    if (group.size > mostOfGroup) dropOldestOf(name, group)
    else if (size > max && oldest !== undefined) dropOldestOf(...oldest)
  }
  /** Makes the group and its entry the most recently used ones. */
  const put = (name: string, group: Map<string, V>, key: string, value: V): void => {
    group.delete(key)
    group.set(key, value)
    groups.delete(name)
    groups.set(name, group)
  }

  return {
    get(key) {
      const name = groupOf(key)
      const group = groups.get(name)
      const value = group?.get(key)
      if (group !== undefined && value !== undefined) put(name, group, key, value)
      return value
    },
    set(key, value) {
      const name = groupOf(key)
      const group = groups.get(name) ?? new Map<string, V>()
      if (!group.has(key)) size += 1
      put(name, group, key, value)
      makeRoom(name, group)
    },
    delete(key) {
      const name = groupOf(key)
      const group = groups.get(name)
      if (group !== undefined) drop(name, group, key)
    },
  }
}
