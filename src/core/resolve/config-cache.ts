import type { Entity } from '../model/entity.ts'
import { type LimitSet, type LimitSetKey, limitSetText } from '../model/limit-set.ts'
import type { Model } from '../model/model.ts'
import { type CachedRead, createCachedReads } from '../ports/cached-reads.ts'
import type { ConfigStore } from '../ports/config-store.ts'
import type { CacheFactory, Clock } from '../ports/platform.ts'

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
  const items = { clock, caches: newCache, max: MAX_ITEMS, isStaleAllowed: true }
  const entities = createCachedReads<string, Entity | undefined>({
    ...items,
    keyOf: (id) => id,
    read: (id) => store.entity(id),
    readAll: (ids) => store.entities(ids),
  })
  const models = createCachedReads<string, Model | undefined>({
    ...items,
    keyOf: (id) => id,
    read: (id) => store.model(id),
  })
  const sets = createCachedReads<LimitSetKey, LimitSet | undefined>({
    ...items,
    keyOf: limitSetText,
    read: async (key) => (await store.limitSets([key]))[0],
    readAll: (keys) => store.limitSets(keys),
  })
  return {
    open(maxAgeNs) {
      let oldest = clock.monotonic()
      const valuesOf = <T>(reads: readonly CachedRead<T>[]): readonly T[] => {
        for (const { readNs } of reads) if (readNs < oldest) oldest = readNs
        return reads.map(({ value }) => value)
      }
      return {
        entity: async (id) => valuesOf(await entities.getAll([id], maxAgeNs))[0],
        entities: async (ids) => valuesOf(await entities.getAll(ids, maxAgeNs)),
        model: async (id) => valuesOf(await models.getAll([id], maxAgeNs))[0],
        limitSets: async (keys) => valuesOf(await sets.getAll(keys, maxAgeNs)),
        oldestNs: () => oldest,
      }
    },
    forget() {
      for (const reads of [entities, models, sets]) reads.forget()
    },
  }
}
