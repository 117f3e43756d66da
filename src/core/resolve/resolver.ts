import { MAX_ANCESTORS } from '../model/entity.ts'
import type { Limit } from '../model/limit.ts'
import { DEFAULT_RESOURCE, type LimitSetKey, limitSetText } from '../model/limit-set.ts'
import type { PolicySubject } from '../model/policy.ts'
import { type CachedRead, createCachedReads } from '../ports/cached-reads.ts'
import type { ConfigStore } from '../ports/config-store.ts'
import { createFairCache } from '../ports/fair-cache.ts'
import type { CacheFactory, Clock } from '../ports/platform.ts'
import { type CachedConfig, type ConfigReads, createCachedConfig } from './config-cache.ts'
import { createSharing } from './effective-limits.ts'
import { createNameLookup } from './names.ts'
import { resolvePolicies } from './policy-buckets.ts'
import { type ApplicableBucket, bucketAt, holdsAt, type Resolution, untilTransition } from './resolution.ts'
import { type EntityResolution, type ResolutionTarget, resolveBuckets } from './resolve.ts'

/** A cached resolution. */
export type ResolutionRead = CachedRead<DatedResolution<EntityResolution>>

/** Resolves the buckets and limits that apply to a request, and caches them. */
export interface Resolver {
  /**
   * The buckets of an entity on a resource, from reads no older than `maxAgeNs`, with the sizes that limits with a schedule have
   * now. Throws `ZaelError('not_found')` for an unknown entity, `StoreUnavailable` if the store is unavailable and not everything
   * is cached.
   */
  resolve(target: ResolutionTarget, maxAgeNs: bigint): Promise<EntityResolution>
  /** The same from the cache; undefined if it would have to be read. */
  peek(target: ResolutionTarget, maxAgeNs: bigint): EntityResolution | undefined
  /** The cached one, of any age; the caller may keep it while it is current, and until its limits have other sizes. */
  cached(target: ResolutionTarget): ResolutionRead | undefined
  isCurrent(read: ResolutionRead): boolean
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
  /** SHA-256, lower-case hexadecimal. */
  hash(text: string): string
  /** The limits of the environment, which every limit in the table overrides. */
  readonly defaults: readonly Limit[]
  /** How long an entity is new, ns: meanwhile its limits are cached for a second only. */
  readonly newForNs: bigint
}

/** The maximum number of cached resolutions (combinations of entity, resource, …), and of those with names. */
const MAX_RESOLUTIONS = 20_000

export const createResolver = (deps: ResolverDependencies): Resolver => {
  const { clock, newCache } = deps
  const items = createCachedConfig(deps)
  const names = createNameLookup(items, deps.hash)
  const sizedAt = createSizing(newCache)
  const ofEntities = resolvingEntities(deps, items, sizedAt)
  const unnamed = createCachedResolutions({ ...ofEntities, caches: newCache })
  const named = createCachedResolutions({ ...ofEntities, caches: fairCaches })
  const resolutionsOf = ({ entity, user, session }: ResolutionTarget) =>
    entity === undefined && user === undefined && session === undefined ? unnamed : named
  const policies = createCachedResolutions({
    items,
    clock,
    caches: fairCaches,
    keyOf: subjectText,
    resolve: async (reads, subject: PolicySubject): Promise<Resolution> =>
      untilTransition({ buckets: (await resolvePolicies(reads, subject)).map(sizedAt(clock.now())) }),
  })
  return {
    async resolve(requested, maxAgeNs) {
      const target = await names.read(requested, maxAgeNs)
      return (await resolutionsOf(target).get(target, maxAgeNs)).resolution
    },
    prepare: (entityIds, maxAgeNs) => prepareResolving(items.open(maxAgeNs), entityIds),
    peek(requested, maxAgeNs) {
      const target = names.cached(requested)
      return target && resolutionsOf(target).peek(target, maxAgeNs)?.value.resolution
    },
    cached(requested) {
      const target = names.cached(requested)
      return target && resolutionsOf(target).cached(target)
    },
    // both caches are always cleared together
    isCurrent: unnamed.isCurrent,
    async resolvePolicies(requested, maxAgeNs) {
      const subject = await names.read(requested, maxAgeNs)
      return (await policies.get(subject, maxAgeNs)).resolution
    },
    forget() {
      for (const reads of [items, unnamed, named, policies]) reads.forget()
    },
  }
}

type SizedAt = (at: bigint) => (bucket: ApplicableBucket) => ApplicableBucket

/** The bucket with the sizes of its limits at a time, of which equal ones are shared. */
const createSizing = (newCache: CacheFactory): SizedAt => {
  const sharing = createSharing(newCache)
  return (at) => (bucket) => sharing(bucketAt(bucket, at))
}

const resolvingEntities = (
  { clock, defaults }: ResolverDependencies,
  items: CachedConfig,
  sizedAt: SizedAt,
) => ({
  items,
  clock,
  keyOf: targetText,
  async resolve(reads: ConfigReads, target: ResolutionTarget): Promise<EntityResolution> {
    const resolution = await resolveBuckets(reads, { ...target, defaults })
    const [own, ...others] = resolution.buckets
    const sized = sizedAt(clock.now())
    return untilTransition<EntityResolution>({ ...resolution, buckets: [sized(own), ...others.map(sized)] })
  },
})

/** A resolution, and the time at which the oldest item that determined it was read, by the monotonic clock in ns. */
export interface DatedResolution<T extends Resolution> {
  readonly resolution: T
  readonly oldestNs: bigint
  /** When it is to be resolved again, by the monotonic clock in ns; undefined: once it is too old. */
  readonly untilNs?: bigint | undefined
}

interface CachedResolutionsOptions<R, T> {
  readonly items: CachedConfig
  readonly clock: Clock
  readonly caches: CacheFactory
  readonly keyOf: (request: R) => string
  readonly resolve: (reads: ConfigReads, request: R) => Promise<T>
}

const createCachedResolutions = <R, T extends Resolution>(options: CachedResolutionsOptions<R, T>) =>
  createCachedReads<R, DatedResolution<T>>({
    ...options,
    max: MAX_RESOLUTIONS,
    async read(request, maxAgeNs) {
      const reads = options.items.open(maxAgeNs)
      const resolution = await options.resolve(reads, request)
      return { resolution, oldestNs: reads.oldestNs(), untilNs: reads.untilNs() }
    },
    readNsOf: ({ oldestNs }) => oldestNs,
    isValid: (dated) => isValidAt(dated, options.clock),
  })

const isValidAt = ({ resolution, untilNs }: DatedResolution<Resolution>, clock: Clock): boolean => {
  if (untilNs !== undefined && clock.monotonic() >= untilNs) return false
  return resolution.until === undefined || holdsAt(resolution, clock.now())
}

/** Clients choose names, and obtain tokens: those that one of them invents displace few of others. The owner of a key is its first id. */
const fairCaches: CacheFactory = ({ max }) =>
  createFairCache({ max, groupOf: (key) => key.slice(0, key.indexOf('#')) })

/** A text that is unique to a target: no id contains a `#`. */
const targetText = (target: ResolutionTarget): string => {
  const { entityId, entity, resource = DEFAULT_RESOURCE, user, session, context } = target
  const named =
    entity === undefined
      ? `${entityId}#${resource}`
      : `${entityId}#${resource}#${entity.role ?? ''}#${entity.parentId ?? ''}#${entity.version}`
  if (user === undefined && session === undefined && context === undefined) return named
  const { tenant = '', model = '', tier = '' } = context ?? {}
  return `${named}#${tenant}#${model}#${tier}#${user ?? ''}#${session ?? ''}`
}

const subjectText = (subject: PolicySubject): string => {
  const { tenant = '', apiKey = '', model = '', tier = '', user = '', session = '' } = subject
  return `${tenant}#${apiKey}#${model}#${tier}#${user}#${session}`
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
