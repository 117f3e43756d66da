import type { Limit } from '../model/limit.ts'
import { DEFAULT_RESOURCE, type LimitSetKey, limitSetText } from '../model/limit-set.ts'
import type { PolicySubject } from '../model/policy.ts'
import type { ConfigStore } from '../ports/config-store.ts'
import type { Cache, CacheFactory, Clock } from '../ports/platform.ts'
import { type CachedConfig, type ConfigReads, createCachedConfig } from './config-cache.ts'
import { createSharing } from './effective-limits.ts'
import type { Resolution } from './resolution.ts'
import { type EntityResolution, type ResolutionTarget, resolveBuckets, resolvePolicies } from './resolve.ts'

/** Which buckets and limits apply to a request, cached. */
export interface Resolver {
  /**
   * What applies to an entity on a resource, from reads no older than `maxAgeNs`.
   * Throws `ZaelError('not_found')` for an unknown entity, `StoreUnavailable` if nothing is cached and the store is unavailable.
   */
  resolve(target: ResolutionTarget, maxAgeNs: bigint): Promise<EntityResolution>
  /** The same from the cache; undefined if it is to be read. */
  peek(target: ResolutionTarget, maxAgeNs: bigint): EntityResolution | undefined
  /** Reads what `resolve` needs for many entities on `_default_` in few calls; entities that do not exist are left out. */
  prepare(entityIds: readonly string[], maxAgeNs: bigint): Promise<void>
  /** The policies that apply, whatever entity asks. Throws `StoreUnavailable` likewise. */
  resolvePolicies(subject: PolicySubject, maxAgeNs: bigint): Promise<Resolution>
  /** Drops all that is cached: this process has just changed something. */
  forget(): void
}

export interface ResolverDependencies {
  readonly config: ConfigStore
  readonly clock: Clock
  readonly newCache: CacheFactory
  /** Limits of the environment, below everything that is in the table. */
  readonly defaults: readonly Limit[]
}

/** Requests of different kinds (entity, resource, user, …) whose buckets are kept in memory. */
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

/** A text that no two targets share: no id holds a `#`, and `user`, which may be any text, stands last. */
const targetText = ({ entityId, resource = DEFAULT_RESOURCE, user, context }: ResolutionTarget): string => {
  const named = `${entityId}#${resource}`
  if (user === undefined && context === undefined) return named
  const { tenant = '', model = '', tier = '' } = context ?? {}
  return `${named}#${tenant}#${model}#${tier}#${user ?? ''}`
}

const subjectText = ({ apiKey = '', tenant = '', model = '', tier = '', user = '' }: PolicySubject): string =>
  `${apiKey}#${tenant}#${model}#${tier}#${user}`

/** Values computed from the configuration, cached as long as that may be. */
export interface Remembered<T> {
  /**
   * The cached value of `key`, from reads no older than `maxAgeNs`; else what `work` computes from new ones. Concurrent calls
   * share one read.
   */
  get(key: string, maxAgeNs: bigint, work: (reads: ConfigReads) => Promise<T>): Promise<T>
  /** The cached value of `key`, from reads no older than `maxAgeNs`; undefined if it is to be read. */
  peek(key: string, maxAgeNs: bigint): T | undefined
  forget(): void
}

interface Entry<T> {
  readonly value: T
  /** By the monotonic clock: when the oldest item that it was computed from was read. */
  readonly readNs: bigint
}

const createRemembered = <T>(
  items: CachedConfig,
  clock: Clock,
  newCache: CacheFactory,
  max: number,
): Remembered<T> => {
  const underWay = new Map<string, Promise<Entry<T>>>()
  let entries: Cache<Entry<T>> = newCache<Entry<T>>({ max })

  const readAnew = async (key: string, maxAgeNs: bigint, work: (reads: ConfigReads) => Promise<T>) => {
    const target = entries
    const reads = items.open(maxAgeNs)
    const value = await work(reads)
    const entry = { value, readNs: reads.oldestNs() }
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
    async get(key, maxAgeNs, work) {
      const known = peek(key, maxAgeNs)
      if (known !== undefined) return known
      return (await shared(`${key}#${maxAgeNs}`, () => readAnew(key, maxAgeNs, work))).value
    },
    /** A read under way fills the cache that it began with, so it cannot bring back what is dropped here. */
    forget() {
      entries = newCache<Entry<T>>({ max })
      underWay.clear()
    },
  }
}

/**
 * Reads what resolving entities one by one would read, all at once: the entities, their parents level by level, and the
 * sets that all of them need. Entities that do not exist are left out.
 */
const prepareResolving = async (reads: ConfigReads, entityIds: readonly string[]): Promise<void> => {
  const known = new Set<string>()
  const found: string[] = []
  let wanted = [...new Set(entityIds)]
  while (wanted.length > 0) {
    const entities = (await reads.entities(wanted)).flatMap((entity) => entity ?? [])
    for (const id of wanted) known.add(id)
    if (found.length === 0) found.push(...entities.map(({ id }) => id))
    const parents = new Set(entities.flatMap(({ parentId }) => parentId ?? []))
    wanted = [...parents].filter((id) => !known.has(id))
  }
  const keys = new Map<string, LimitSetKey>()
  const asking: ConfigReads = {
    ...reads,
    async limitSets(asked) {
      for (const key of asked) keys.set(limitSetText(key), key)
      return asked.map(() => undefined)
    },
  }
  await Promise.all(found.map((entityId) => resolveBuckets(asking, { entityId, defaults: [] })))
  await reads.limitSets([...keys.values()])
}
