import { MAX_ANCESTORS } from '../model/entity.ts'
import type { Limit } from '../model/limit.ts'
import { DEFAULT_RESOURCE, type LimitSetKey, limitSetText } from '../model/limit-set.ts'
import type { PolicySubject } from '../model/policy.ts'
import type { ConfigStore } from '../ports/config-store.ts'
import type { Cache, CacheFactory, Clock } from '../ports/platform.ts'
import { type CachedConfig, type ConfigReads, createCachedConfig } from './config-cache.ts'
import { createSharing } from './effective-limits.ts'
import type { Resolution } from './resolution.ts'
import { type EntityResolution, type ResolutionTarget, resolveBuckets, resolvePolicies } from './resolve.ts'

/** Resolves the buckets and limits that apply to a request, and caches them. */
export interface Resolver {
  /**
   * The buckets of an entity on a resource, from reads no older than `maxAgeNs`. Throws `ZaelError('not_found')` for an unknown
   * entity, `StoreUnavailable` if the store is unavailable and not everything is cached.
   */
  resolve(target: ResolutionTarget, maxAgeNs: bigint): Promise<EntityResolution>
  /** The same from the cache; undefined if it would have to be read. */
  peek(target: ResolutionTarget, maxAgeNs: bigint): EntityResolution | undefined
  /** The same of any age, with its age; the caller may keep it while it is the cached one. */
  entry(target: ResolutionTarget): Entry<EntityResolution> | undefined
  /** Fills the cache for `resolve` of many entities on `_default_`, in few calls. Ignores entities that do not exist. */
  prepare(entityIds: readonly string[], maxAgeNs: bigint): Promise<void>
  /** The policies that apply to a subject. Throws `StoreUnavailable` as `resolve`. */
  resolvePolicies(subject: PolicySubject, maxAgeNs: bigint): Promise<Resolution>
  /** Clears the cache, after a change by this process. */
  forget(): void
}

export interface ResolverDependencies {
  readonly config: ConfigStore
  readonly clock: Clock
  readonly newCache: CacheFactory
  /** The limits of the environment, which every limit in the table overrides. */
  readonly defaults: readonly Limit[]
}

/** The maximum number of cached resolutions (combinations of entity, resource, user, …). */
const MAX_RESOLUTIONS = 20_000

export const createResolver = ({ config, clock, newCache, defaults }: ResolverDependencies): Resolver => {
  const items = createCachedConfig(config, clock, newCache)
  const resolutions = createRemembered<EntityResolution>(items, clock, newCache, MAX_RESOLUTIONS)
  const policies = createRemembered<Resolution>(items, clock, newCache, MAX_RESOLUTIONS)
  const sharing = createSharing(newCache)
  return {
    resolve: (target, maxAgeNs) =>
      resolutions.get(targetText(target), maxAgeNs, async (reads) => {
        const resolution = await resolveBuckets(reads, { ...target, defaults })
        const [own, ...others] = resolution.buckets
        return { ...resolution, buckets: [sharing(own), ...others.map(sharing)] }
      }),
    prepare: (entityIds, maxAgeNs) => prepareResolving(items.open(maxAgeNs), entityIds),
    peek: (target, maxAgeNs) => resolutions.peek(targetText(target), maxAgeNs),
    entry: (target) => resolutions.entry(targetText(target)),
    resolvePolicies: (subject, maxAgeNs) =>
      policies.get(subjectText(subject), maxAgeNs, async (reads) => ({
        buckets: (await resolvePolicies(reads, subject)).map(sharing),
      })),
    forget() {
      items.forget()
      resolutions.forget()
      policies.forget()
    },
  }
}

/** A text that is unique to a target: no id contains a `#`, and `user`, which may, is last. */
const targetText = ({ entityId, resource = DEFAULT_RESOURCE, user, context }: ResolutionTarget): string => {
  const named = `${entityId}#${resource}`
  if (user === undefined && context === undefined) return named
  const { tenant = '', model = '', tier = '' } = context ?? {}
  return `${named}#${tenant}#${model}#${tier}#${user ?? ''}`
}

const subjectText = ({ apiKey = '', tenant = '', model = '', tier = '', user = '' }: PolicySubject): string =>
  `${apiKey}#${tenant}#${model}#${tier}#${user}`

/** Values that are computed from the configuration, cached with the age of the oldest item read. */
export interface Remembered<T> {
  /**
   * The cached value of `key`, from reads no older than `maxAgeNs`; or else the result of `work` on new ones, which concurrent
   * calls share.
   */
  get(key: string, maxAgeNs: bigint, work: (reads: ConfigReads) => Promise<T>): Promise<T>
  /** The cached value of `key`, from reads no older than `maxAgeNs`; undefined if there is none. */
  peek(key: string, maxAgeNs: bigint): T | undefined
  /** The cached value of `key` with its age. */
  entry(key: string): Entry<T> | undefined
  forget(): void
}

export interface Entry<T> {
  readonly value: T
  /** The time at which the oldest item that it was computed from was read, by the monotonic clock in ns. */
  readonly readNs: bigint
  /** Whether a later entry has taken its place. */
  isReplaced: boolean
  readonly epoch: Epoch
}

/** The time between two calls of `forget`. */
interface Epoch {
  isOver: boolean
}

/** Whether the entry is the cached one; an entry that was evicted also is, until its key is read again. */
export const isCached = <T>({ isReplaced, epoch }: Entry<T>): boolean => !isReplaced && !epoch.isOver

const createRemembered = <T>(
  items: CachedConfig,
  clock: Clock,
  newCache: CacheFactory,
  max: number,
): Remembered<T> => {
  const underWay = new Map<string, Promise<Entry<T>>>()
  let entries: Cache<Entry<T>> = newCache<Entry<T>>({ max })
  let epoch: Epoch = { isOver: false }

  const readAnew = async (key: string, maxAgeNs: bigint, work: (reads: ConfigReads) => Promise<T>) => {
    const [target, begun] = [entries, epoch]
    const reads = items.open(maxAgeNs)
    const value = await work(reads)
    const entry = { value, readNs: reads.oldestNs(), isReplaced: false, epoch: begun }
    const previous = target.get(key)
    if (previous) previous.isReplaced = true
    target.set(key, entry)
    return entry
  }

  const shared = (key: string, read: () => Promise<Entry<T>>): Promise<Entry<T>> => {
    const running = underWay.get(key)
    if (running) return running
    const started = read().finally(() => {
      if (underWay.get(key) === started) underWay.delete(key)
    })
    underWay.set(key, started)
    return started
  }

  const peek = (key: string, maxAgeNs: bigint): T | undefined => {
    const known = entries.get(key)
    return known && clock.monotonic() - known.readNs <= maxAgeNs ? known.value : undefined
  }

  return {
    peek,
    entry: (key) => entries.get(key),
    async get(key, maxAgeNs, work) {
      const known = peek(key, maxAgeNs)
      if (known !== undefined) return known
      return (await shared(`${key}#${maxAgeNs}`, () => readAnew(key, maxAgeNs, work))).value
    },
    /** A read in progress fills the cache with which it began, so it cannot restore a dropped value. */
    forget() {
      entries = newCache<Entry<T>>({ max })
      epoch.isOver = true
      epoch = { isOver: false }
      underWay.clear()
    },
  }
}

/**
 * Reads in few calls all that resolving the entities one by one would read: the entities, their parents level by level, and
 * the limit sets of all of them. Ignores entities that do not exist.
 */
const prepareResolving = async (reads: ConfigReads, entityIds: readonly string[]): Promise<void> => {
  const known = new Set<string>()
  const found: string[] = []
  let wanted = [...new Set(entityIds)]
  for (let level = 0; wanted.length > 0 && level <= MAX_ANCESTORS; level++) {
    const entities = (await reads.entities(wanted)).flatMap((entity) => entity ?? [])
    for (const id of wanted) known.add(id)
    if (found.length === 0) found.push(...entities.map(({ id }) => id))
    const parents = new Set(entities.flatMap(({ parentId }) => parentId ?? []))
    wanted = [...parents].filter((id) => !known.has(id))
  }
  const keys = new Map<string, LimitSetKey>()
  const collecting: ConfigReads = {
    ...reads,
    async limitSets(requested) {
      for (const key of requested) keys.set(limitSetText(key), key)
      return requested.map(() => undefined)
    },
  }
  await Promise.all(found.map((entityId) => resolveBuckets(collecting, { entityId, defaults: [] })))
  await reads.limitSets([...keys.values()])
}
