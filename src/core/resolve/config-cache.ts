import type { Entity } from '../model/entity.ts'
import { StoreUnavailable } from '../model/errors.ts'
import { type LimitSet, type LimitSetKey, limitSetText } from '../model/limit-set.ts'
import type { Model } from '../model/model.ts'
import type { ConfigStore } from '../ports/config-store.ts'
import type { Cache, CacheFactory, Clock } from '../ports/platform.ts'

/** Reads of the configuration, none older than the argument of `open`. */
export interface ConfigReads {
  entity(id: string): Promise<Entity | undefined>
  /** In the order of `ids`. */
  entities(ids: readonly string[]): Promise<readonly (Entity | undefined)[]>
  model(id: string): Promise<Model | undefined>
  /** In the order of `keys`. */
  limitSets(keys: readonly LimitSetKey[]): Promise<readonly (LimitSet | undefined)[]>
  /** The time at which the oldest value so far was read from the store, by the monotonic clock in ns. */
  oldestNs(): bigint
}

/** The configuration, with each item cached separately; the absence of an item is cached too. */
export interface CachedConfig {
  /** `maxAgeNs` bounds the age of every item, unless the store is unavailable and an older one is cached. */
  open(maxAgeNs: bigint): ConfigReads
  /** Clears the cache, after a change by this process. */
  forget(): void
}

/** The maximum number of cached items of each kind. */
const MAX_ITEMS = 32_000

export const createCachedConfig = (
  store: ConfigStore,
  clock: Clock,
  newCache: CacheFactory,
): CachedConfig => {
  const entities = createItemCache<Entity | undefined>(clock, newCache, MAX_ITEMS)
  const models = createItemCache<Model | undefined>(clock, newCache, MAX_ITEMS)
  const sets = createItemCache<LimitSet | undefined>(clock, newCache, MAX_ITEMS)

  const open = (maxAgeNs: bigint): ConfigReads => {
    let oldest = clock.monotonic()
    const read = async <T>(
      cache: ItemCache<T>,
      keys: readonly string[],
      load: (positions: readonly number[]) => Promise<readonly T[]>,
    ): Promise<readonly T[]> => {
      const known = await cache.read(keys, maxAgeNs, load)
      for (const { readNs } of known) if (readNs < oldest) oldest = readNs
      return known.map(({ value }) => value)
    }
    return {
      entity: async (id) => (await read(entities, [id], async () => [await store.entity(id)]))[0],
      entities: (ids) =>
        read(entities, ids, (positions) => store.entities(positions.flatMap((at) => ids[at] ?? []))),
      model: async (id) => (await read(models, [id], async () => [await store.model(id)]))[0],
      limitSets: (keys) =>
        read(sets, keys.map(limitSetText), (positions) =>
          store.limitSets(positions.flatMap((at) => keys[at] ?? [])),
        ),
      oldestNs: () => oldest,
    }
  }

  return {
    open,
    forget() {
      entities.clear()
      models.clear()
      sets.clear()
    },
  }
}

/** A value, and the time at which it was read, by the monotonic clock in ns. */
export interface Known<T> {
  readonly value: T
  readonly readNs: bigint
}

/** Values read from the store, each with its age. */
export interface ItemCache<T> {
  /**
   * The values of `keys`, in their order, none older than `maxAgeNs`. `load` is called once, with the positions of the missing
   * ones. If the store is unavailable and all values are cached, older ones are returned.
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
    /** A read in progress fills the cache with which it began, so it cannot restore a dropped value. */
    clear() {
      items = newCache<Known<T>>({ max })
    },
  }
}

/** Undefined: the store is unavailable, and all values are cached. */
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
