import type { Entity } from '../model/entity.ts'
import { type LimitSet, type LimitSetKey, limitSetText } from '../model/limit-set.ts'
import type { Model } from '../model/model.ts'
import { EVERY_NAME, isNameScope } from '../model/policy.ts'
import { earlier, SECOND_NS } from '../model/time.ts'
import { type CachedRead, type CachedReads, createCachedReads } from '../ports/cached-reads.ts'
import type { ConfigStore } from '../ports/config-store.ts'
import type { CacheFactory, Clock, Moment } from '../ports/platform.ts'

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
  /**
   * When a set so far is to be read again because its entity was new, by the monotonic clock in ns; undefined: no earlier than
   * usual.
   */
  untilNs(): bigint | undefined
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

/**
 * The first limits of an entity are set soon after it is created: what is read while it is new, the absence of limits above all,
 * is cached for a second only.
 */
const NEW_MAX_AGE_NS = SECOND_NS

export interface CachedConfigDependencies {
  readonly config: ConfigStore
  readonly clock: Clock
  readonly newCache: CacheFactory
  /** How long an entity is new, ns. */
  readonly newForNs: bigint
}

export const createCachedConfig = (deps: CachedConfigDependencies): CachedConfig => {
  const { config: store, clock, newCache } = deps
  const cached = { clock, caches: newCache, max: MAX_ITEMS, isStaleAllowed: true }
  const entities = createCachedReads<string, Entity | undefined>({
    ...cached,
    keyOf: (id) => id,
    read: (id) => store.entity(id),
    readAll: (ids) => store.entities(ids),
  })
  const models = createCachedReads<string, Model | undefined>({
    ...cached,
    keyOf: (id) => id,
    read: (id) => store.model(id),
  })
  const sets = createCachedSets(() =>
    createCachedReads<LimitSetKey, LimitSet | undefined>({
      ...cached,
      keyOf: limitSetText,
      read: async (key) => (await store.limitSets([key]))[0],
      readAll: (keys) => store.limitSets(keys),
    }),
  )
  return {
    open: (maxAgeNs) => openReads({ entities, models, sets }, deps, maxAgeNs),
    cachedSet: sets.cached,
    forget() {
      for (const reads of [entities, models, sets]) reads.forget()
    },
  }
}

interface Items {
  readonly entities: CachedReads<string, Entity | undefined>
  readonly models: CachedReads<string, Model | undefined>
  readonly sets: Pick<SetReads, 'getAll'>
}

const openReads = (
  { entities, models, sets }: Items,
  { clock, newForNs }: Pick<CachedConfigDependencies, 'clock' | 'newForNs'>,
  maxAgeNs: bigint,
): ConfigReads => {
  let oldest = clock.monotonic()
  let until: bigint | undefined
  const createdAt = new Map<string, bigint>()
  const valuesOf = <T>(reads: readonly CachedRead<T>[]): readonly T[] => {
    for (const { readNs } of reads) if (readNs < oldest) oldest = readNs
    return reads.map(({ value }) => value)
  }
  const readEntities = async (ids: readonly string[]): Promise<readonly (Entity | undefined)[]> => {
    const read = valuesOf(await entities.getAll(ids, maxAgeNs))
    for (const entity of read) if (entity) createdAt.set(entity.id, entity.createdAt)
    return read
  }
  /** When a set is to be read again because its entity was new as it was read, by the monotonic clock. */
  const endOf = ({ owner }: LimitSetKey, readNs: bigint, { now, monotonic }: Moment): bigint | undefined => {
    const created = owner.kind === 'entity' ? createdAt.get(owner.id) : undefined
    const isOfNew = created !== undefined && now - (monotonic - readNs) - created < newForNs
    return isOfNew ? readNs + NEW_MAX_AGE_NS : undefined
  }
  const endsOf = (keys: readonly LimitSetKey[], reads: readonly CachedRead<unknown>[], moment: Moment) =>
    reads.flatMap(({ readNs }, at) => keys.slice(at, at + 1).map((key) => endOf(key, readNs, moment)))
  return {
    entity: async (id) => (await readEntities([id]))[0],
    entities: readEntities,
    model: async (id) => valuesOf(await models.getAll([id], maxAgeNs))[0],
    async limitSets(keys) {
      const moment = { now: clock.now(), monotonic: clock.monotonic() }
      const known = await sets.getAll(keys, maxAgeNs)
      const ends = endsOf(keys, known, moment)
      const ended = keys.filter((_, at) => isPast(ends[at], moment))
      if (ended.length > 0) await sets.getAll(ended, NEW_MAX_AGE_NS)
      const read = ended.length > 0 ? await sets.getAll(keys, maxAgeNs) : known
      until = endsOf(keys, read, moment).reduce(earlier, until)
      return valuesOf(read)
    },
    oldestNs: () => oldest,
    untilNs: () => until,
  }
}

const isPast = (end: bigint | undefined, { monotonic }: Moment): boolean =>
  end !== undefined && end <= monotonic

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
