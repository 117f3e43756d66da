import type { Entity } from '../entity/entity.ts'
import type { Model } from '../entity/model.ts'
import type { LimitSet, LimitSetKey } from '../limit/limit.ts'
import { limitSetText } from '../limit/owner-text.ts'
import type { CacheFactory } from '../ports/cache.ts'
import type { Clock } from '../ports/clock.ts'
import type { ConfigStore } from '../ports/config-store.ts'
import { createItemCache, type ItemCache } from './item-cache.ts'

/** Reads of the configuration that are no older than was asked for; they remember how old the oldest was. */
export interface ConfigReads {
  entity(id: string): Promise<Entity | undefined>
  /** In the order of `ids`. */
  entities(ids: readonly string[]): Promise<readonly (Entity | undefined)[]>
  model(id: string): Promise<Model | undefined>
  /** In the order of `keys`. */
  limitSets(keys: readonly LimitSetKey[]): Promise<readonly (LimitSet | undefined)[]>
  /** Steady clock, ns: when the oldest of what was read so far was read from the store. */
  oldestNs(): bigint
}

/** The configuration, each item cached by itself, "nothing there" included. */
export interface CachedConfig {
  /** `maxAgeNs` bounds the age of every answer, save where the store is away and an older one is known. */
  open(maxAgeNs: bigint): ConfigReads
  /** Drops all that is known: this process has just changed something. */
  forget(): void
}

/** Of each kind; what is not used for longest is read again. */
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
