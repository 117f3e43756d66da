import { StoreUnavailable } from '../errors.ts'
import type { Cache, CacheFactory } from '../ports/cache.ts'
import type { Clock } from '../ports/clock.ts'

/** A value ("nothing there" included) and when it was read, by the steady clock in ns. */
export interface Known<T> {
  readonly value: T
  readonly readNs: bigint
}

/** Values read from the store, each with its age. */
export interface ItemCache<T> {
  /**
   * The values of `keys`, in their order, none older than `maxAgeNs`; `load` is asked once for those missing, given their
   * positions. Where the store is away, older values serve if all are known.
   */
  read(
    keys: readonly string[],
    maxAgeNs: bigint,
    load: (positions: readonly number[]) => Promise<readonly T[]>,
  ): Promise<readonly Known<T>[]>
  clear(): void
}

export const createItemCache = <T>(clock: Clock, newCache: CacheFactory, max: number): ItemCache<T> => {
  let items: Cache<Known<T>> = newCache<Known<T>>({ max })
  const isFresh = (known: Known<T> | undefined, maxAgeNs: bigint): boolean =>
    known !== undefined && clock.monotonic() - known.readNs <= maxAgeNs

  return {
    async read(keys, maxAgeNs, load) {
      const result = keys.map((key) => items.get(key))
      const positions = keys.flatMap((_, index) => (isFresh(result[index], maxAgeNs) ? [] : [index]))
      if (positions.length > 0) {
        const [readNs, target] = [clock.monotonic(), items]
        const values = await loadOrKeep(load, positions, result)
        values?.forEach((value, index) => {
          const position = positions[index] ?? 0
          result[position] = { value, readNs }
          target.set(keys[position] ?? '', { value, readNs })
        })
      }
      return result.flatMap((known) => known ?? [])
    },
    /** A read under way fills the cache that it began with, so it cannot bring back what is dropped here. */
    clear() {
      items = newCache<Known<T>>({ max })
    },
  }
}

/** undefined: the store is away, and what is known already must do. */
const loadOrKeep = async <T>(
  load: (positions: readonly number[]) => Promise<readonly T[]>,
  positions: readonly number[],
  known: readonly (Known<T> | undefined)[],
): Promise<readonly T[] | undefined> => {
  try {
    return await load(positions)
  } catch (error) {
    if (error instanceof StoreUnavailable && known.every((item) => item !== undefined)) return undefined
    throw error
  }
}
