import type { Entity } from '../model/entity.ts'
import { type LimitSet, type LimitSetKey, limitSetText } from '../model/limit-set.ts'
import type { Model } from '../model/model.ts'
import { EVERY_NAME, isNameScope } from '../model/policy.ts'
import { type CachedRead, type CachedReads, createCachedReads } from '../ports/cached-reads.ts'
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
  /** A cached set of limits, of any age; undefined: not cached. */
  cachedSet(key: LimitSetKey): CachedRead<LimitSet | undefined> | undefined
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
  const sets = createCachedSets(() =>
    createCachedReads<LimitSetKey, LimitSet | undefined>({
      ...items,
      keyOf: limitSetText,
      read: async (key) => (await store.limitSets([key]))[0],
      readAll: (keys) => store.limitSets(keys),
    }),
  )
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
    cachedSet: sets.cached,
    forget() {
      for (const reads of [entities, models, sets]) reads.forget()
    },
  }
}

type SetReads = CachedReads<LimitSetKey, LimitSet | undefined>

/** Clients choose names, so the sets of single names are cached apart: those of invented ones displace no others. */
const createCachedSets = (createReads: () => SetReads) => {
  const [sets, ofNames] = [createReads(), createReads()]
  return {
    cached: sets.cached,
    async getAll(keys: readonly LimitSetKey[], maxAgeNs: bigint) {
      if (!keys.some(isOfName)) return sets.getAll(keys, maxAgeNs)
      const others = keys.filter((key) => !isOfName(key))
      const read = await Promise.all([
        sets.getAll(others, maxAgeNs),
        ofNames.getAll(keys.filter(isOfName), maxAgeNs),
      ])
      const [other, ofName] = [read[0].values(), read[1].values()]
      return keys.flatMap((key) => (isOfName(key) ? ofName : other).next().value ?? [])
    },
    forget() {
      for (const reads of [sets, ofNames]) reads.forget()
    },
  }
}

const isOfName = ({ owner }: LimitSetKey): boolean =>
  owner.kind === 'policy' && isNameScope(owner.scope) && owner.selector !== EVERY_NAME
