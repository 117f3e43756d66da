import type { BucketStore } from '../bucket/bucket-store.ts'
import type { LiveBuckets } from '../bucket/live-bucket.ts'
import { createBatches } from '../charge/batches.ts'
import { type CachedBucket, createCachedBuckets } from '../charge/cached-buckets.ts'
import { configBehind, createCircuit } from '../charge/circuit.ts'
import { createTally, flushTally } from '../charge/counters.ts'
import { writeRefunds } from '../charge/joint-refunds.ts'
import { createLeases } from '../charge/leases.ts'
import { createRefundQueue } from '../charge/refund-queue.ts'
import { renewSlots } from '../charge/renew-slots.ts'
import type { ReservedCharges } from '../charge/reservation-store.ts'
import { refundLeases, type SettledBy, settleCharges } from '../charge/settle.ts'
import { CHARGED_RULE, ID_RULE, isId, isModelId, MODEL_ID_RULE } from '../model/entity.ts'
import { invalid } from '../model/errors.ts'
import type { Limit, OnUnavailable } from '../model/limit.ts'
import { TOTAL_RESOURCE } from '../model/limit-set.ts'
import { type Cost, checkCost, withTotalTokens } from '../model/meter.ts'
import { isNamedBucketKey, type PolicySubject, tenantOfBucketKey } from '../model/policy.ts'
import { MS_NS } from '../model/time.ts'
import type { ConfigStore } from '../ports/config-store.ts'
import { createFairCache } from '../ports/fair-cache.ts'
import type { Cache, CacheFactory, Clock, Logger, Metrics } from '../ports/platform.ts'
import { type Eventual, whenReady } from '../ports/when-ready.ts'
import type { EntityResolution, ResolutionTarget } from '../resolve/resolve.ts'
import { createResolver } from '../resolve/resolver.ts'
import { decideAtOnce, type PreparedTarget, prepareTarget } from './at-once.ts'
import { type DecideDependencies, decide } from './decide.ts'
import type { Decision, DecisionRequest } from './decision.ts'
import { createDecisionLog } from './decision-log.ts'
import { createFallback } from './fallback.ts'
import { createFastPath } from './fast-path.ts'
import { createInspector, type Inspector } from './inspector.ts'
import { largestAdmissible } from './largest-admissible.ts'
import { createLivePath } from './live-path.ts'
import { createPacing } from './pacing.ts'

/** Decides and settles requests, and reads the state of limits. One per process. */
export interface Limiter extends Inspector {
  /**
   * Decides a request and charges it. Throws `ZaelError`: `not_found` for an unknown entity, `invalid_request` for an amount
   * that is negative or not whole, and for the resource `_total_`. Throws `StoreUnavailable` if the configuration cannot be
   * read.
   */
  decide(request: DecisionRequest): Promise<Decision>
  /**
   * The same without a promise; undefined if `decide` must decide, because a read or a write is needed. Throws
   * `ZaelError('invalid_request')` as `decide`.
   */
  decideAtOnce(request: DecisionRequest): Decision | undefined
  /** Prepares requests of one entity on `_default_`, which can often be decided at once. */
  prepare(target: { readonly entityId: string }): PreparedTarget
  /**
   * Predicts whether a request will be denied, by cached configuration and cached denials, without a call of the store.
   * `decide` may still allow it. Throws `ZaelError('invalid_request')` as `decide`.
   */
  foreseesDenial(request: DecisionRequest): boolean
  /**
   * The largest amount per meter that one request can ever be allowed; a meter without an enforced limit is absent. A promise if the
   * configuration must be read. Rejects as `decide`.
   */
  largestAdmissible(target: ResolutionTarget): Eventual<Cost>
  /**
   * Settles charges of any node to `actual` (an absent meter stays as reserved), or refunds all (null). Not idempotent: the
   * caller ensures that a reservation ends once. A refund may wait for others of its bucket (`sharesRefunds`). Never throws.
   *
   * With `by`, a caller reports their usage. Their own buckets are charged in full. Beyond the reservation, buckets of parents
   * and policies are charged at most what the caller's own buckets had available, and at most what is available there. Meters
   * that the reservation did not name are charged only to the caller's own buckets. Without `by`, every bucket is charged in
   * full.
   */
  settleCharges(charges: ReservedCharges, actual: Cost | null, by?: SettledBy): Promise<void>
  /**
   * Lets the slots that a reservation holds expire at `until`, ns since the epoch, unless they expire later already. False: a slot
   * had expired and is gone. Throws `StoreUnavailable`.
   */
  renewSlots(charges: ReservedCharges, until: bigint): Promise<boolean>
  /**
   * Charges one request to every policy that applies, or to none if one denies. Ignores the limits of entities. Allowed if no
   * policy applies. A denial contains every policy that fails. Throws `ZaelError('invalid_request')` for an invalid id,
   * `StoreUnavailable` as `decide`.
   */
  checkPolicies(check: PolicySubject): Promise<Decision>
  /** Drops all cached configuration, after a change by this process: the next decision reads it again. */
  forget(): void
  /** Writes waiting refunds, and counts that are due (`all`: all that are pending). Called every 250 ms by servers, before each response on Lambda. */
  flush(options?: { readonly all?: boolean }): Promise<void>
}

export interface LimiterSettings {
  /** Limits of callers for which the table has neither limits nor defaults. */
  readonly defaultLimits: readonly Limit[]
  /** The maximum age of cached configuration, ms. */
  readonly configCacheMs: number
  /** The store's deadline, ms: a charge is retried only while half of it is left. */
  readonly storeDeadlineMs: number
  /** For limits without `on_unavailable`. */
  readonly onUnavailable: OnUnavailable
  /** The share of a limit with `on_unavailable: local` that one process admits while the store is unavailable. */
  readonly localShare: number
  /** False: every request is allowed and counted. */
  readonly isEnabled: boolean
  /** How long actual usage may wait for another write that includes it, ms; 0 if nothing runs after a response. */
  readonly useDelayMs: number
  /**
   * True: refunds of a bucket are written together, by the next `flush`, which should follow within a quarter of a second.
   * False: each at once.
   */
  readonly sharesRefunds: boolean
  /** How long a lease may keep tokens that were charged in advance, ms; 0: no leases. */
  readonly leaseTtlMs: number
}

export const DEFAULT_LIMITER_SETTINGS: LimiterSettings = {
  defaultLimits: [],
  configCacheMs: 30_000,
  storeDeadlineMs: 250,
  onUnavailable: 'deny',
  localShare: 0.1,
  isEnabled: true,
  useDelayMs: 1000,
  sharesRefunds: false,
  leaseTtlMs: 0,
}

export interface LimiterDependencies {
  readonly buckets: BucketStore
  /** Decides for limits with `on_unavailable: local` while `buckets` is unavailable: a store in memory. */
  readonly localBuckets: BucketStore
  /** `buckets`, if only this process writes them: then they are charged in place. */
  readonly live?: LiveBuckets | undefined
  readonly config: ConfigStore
  readonly clock: Clock
  readonly logger: Logger
  readonly metrics: Metrics
  readonly newCache: CacheFactory
  /** Waits a short random time before a charge is retried; longer after more `tries`. */
  pause(tries: number): Promise<void>
  /** The beginning of the ids of this process's slots: short, and unique among all processes. */
  readonly slotPrefix: string
  /** SHA-256, lower-case hexadecimal: turns names that clients choose into ids. */
  hash(text: string): string
  readonly settings?: Partial<LimiterSettings>
}

/** The number of buckets whose last state is cached, and of those of users and sessions. */
const MAX_CACHED_BUCKETS = 32_000

/**
 * The limiter: resolves the limits that apply, charges and settles them, and reads their state. One per process. It keeps
 * cached states, leases, pending counts and cached configuration in memory; all of it may be lost at any time.
 */
export const createLimiter = (dependencies: LimiterDependencies): Limiter => {
  const settings = { ...DEFAULT_LIMITER_SETTINGS, ...dependencies.settings }
  const deps = createParts(dependencies, settings)
  const { leases, configAgeNs } = deps
  const { resolver, resolve, isLimited, limited } = createResolving(dependencies, settings)
  const fastPath = createFastPath(deps)
  const livePath = dependencies.live && createLivePath({ ...deps, live: dependencies.live })
  const atOnce = { ...deps, resolver, isLimited, livePath, fastPath: leases.isOn ? fastPath : undefined }
  const tryAtOnce = (request: DecisionRequest): Decision | undefined => {
    const target = checkedTarget(request)
    return request.pace === undefined ? decideAtOnce(atOnce, target, request) : undefined
  }
  const decideByLimits = async (request: DecisionRequest): Promise<Decision> =>
    tryAtOnce(request) ?? decide(deps, request, (maxAgeNs) => resolve(targetOf(request), maxAgeNs))
  const pacing = createPacing({
    ...deps,
    newCache: dependencies.newCache,
    decide: decideByLimits,
    resolve: (request, maxAgeNs) => resolve(checkedTarget(request), maxAgeNs),
  })

  return {
    ...createInspector({ ...deps, isLimited, resolver }),
    decideAtOnce: tryAtOnce,
    decide: (request) => (request.pace === undefined ? decideByLimits(request) : pacing.decide(request)),
    prepare: (target) => prepareTarget(atOnce, target),
    foreseesDenial(request) {
      const cached = limited(resolver.peek(checkedTarget(request), configAgeNs))
      if (cached === undefined) return false
      const cost = withTotalTokens(request.cost)
      return fastPath.denies(cached, cost) || pacing.denies(cached, cost, request.pace)
    },
    largestAdmissible(target) {
      const cached = limited(resolver.peek(target, configAgeNs))
      return whenReady(cached ?? resolve(target, configAgeNs), largestAdmissible)
    },
    async checkPolicies(subject) {
      checkIds(subject, '')
      return decide(deps, ONE_REQUEST, async (maxAgeNs) =>
        settings.isEnabled ? resolver.resolvePolicies(subject, maxAgeNs) : { buckets: [] },
      )
    },
    settleCharges: (charges, actual, by) => settleCharges(deps, charges, actual, { by }),
    renewSlots: ({ parts }, until) => renewSlots(deps, parts, until),
    forget: resolver.forget,
    flush: ({ all = false } = {}) => flush(deps, settings, all),
  }
}

/** The first limits of an entity follow its creation within seconds, however long configuration is cached. */
const MAX_NEW_MS = 30_000

/** Resolves requests: without limits if the process, or the entity, has none. */
const createResolving = (dependencies: LimiterDependencies, settings: LimiterSettings) => {
  const config = configBehind(createCircuit(dependencies.clock), dependencies.config)
  const resolver = createResolver({
    ...dependencies,
    config,
    defaults: settings.defaultLimits,
    newForNs: BigInt(Math.min(settings.configCacheMs, MAX_NEW_MS)) * MS_NS,
  })
  const isLimited = ({ entity }: EntityResolution): boolean => settings.isEnabled && !entity.bypass
  return {
    resolver,
    isLimited,
    limited: (cached?: EntityResolution) => (cached && isLimited(cached) ? cached : undefined),
    async resolve(target: ResolutionTarget, maxAgeNs: bigint): Promise<EntityResolution> {
      const resolution = await resolver.resolve(target, maxAgeNs)
      return isLimited(resolution) ? resolution : unlimited(resolution)
    },
  }
}

/** Refunds and leases first: their writes include the counts. */
const flush = async (deps: DecideDependencies, settings: LimiterSettings, all: boolean): Promise<void> => {
  if (all) await deps.batches.renewed()
  await writeRefunds(deps)
  await refundLeases(deps, deps.leases.takeEnded(all))
  await flushTally(deps, { all, useDelayNs: BigInt(settings.useDelayMs) * MS_NS })
}

const createParts = (dependencies: LimiterDependencies, settings: LimiterSettings): DecideDependencies => {
  const { clock, logger, metrics, newCache } = dependencies
  // if nothing runs after a response, no lease is renewed
  const follows = settings.useDelayMs > 0
  const leases = createLeases({ clock, ttlNs: BigInt(settings.leaseTtlMs) * MS_NS, follows })
  const store = createCachedBuckets({
    store: dependencies.buckets,
    cache: dependencies.live ? itemsOf(dependencies.live) : createBucketCache(newCache),
    clock,
    metrics,
    onNewGeneration: leases.voidAt,
  })
  const refunds = settings.sharesRefunds ? createRefundQueue() : undefined
  const charging = { store, leases, refunds, tally: createTally(), clock, logger, metrics }
  return {
    ...charging,
    batches: createBatches(charging),
    log: createDecisionLog(dependencies),
    fallback: createFallback({ ...dependencies, ...settings }),
    deadlineNs: BigInt(settings.storeDeadlineMs) * MS_NS,
    configAgeNs: BigInt(settings.configCacheMs) * MS_NS,
    pause: dependencies.pause,
    newSlotId: createSlotIds(dependencies.slotPrefix),
  }
}

const createSlotIds = (prefix: string): (() => string) => {
  let last = 0
  return () => `${prefix}${(++last).toString(36)}`
}

/** Clients choose the names of users and sessions: those that one of them invents displace few buckets of others. */
const createBucketCache = (newCache: CacheFactory): Cache<CachedBucket> => {
  const named = createFairCache<CachedBucket>({ max: MAX_CACHED_BUCKETS, groupOf: tenantOfBucketKey })
  const others = newCache<CachedBucket>({ max: MAX_CACHED_BUCKETS })
  const cacheOf = (key: string): Cache<CachedBucket> => (isNamedBucketKey(key) ? named : others)
  return {
    get: (key) => cacheOf(key).get(key),
    set: (key, bucket) => cacheOf(key).set(key, bucket),
    delete: (key) => cacheOf(key).delete(key),
  }
}

/** Buckets that only this process writes need no cache: the last state is the current one. */
const itemsOf = (live: LiveBuckets): Cache<CachedBucket> => ({
  get(key) {
    const item = live.itemAt(key)
    return item && { item }
  },
  set: () => {},
  delete: () => {},
})

/** A request for `_total_` alone would bypass the limits on single resources, and those of parents. */
const checkRequest = ({ cost, resource }: DecisionRequest): void => {
  checkCost(cost)
  if (resource === TOTAL_RESOURCE) throw invalid('resource', CHARGED_RULE)
}

const ONE_REQUEST = { cost: { requests: 1 }, settles: false, namesAll: true } as const

/** Without limits: the request is allowed and counted. */
const unlimited = ({ buckets: [own], ...rest }: EntityResolution): EntityResolution => ({
  ...rest,
  buckets: [{ ...own, limits: [] }],
})

const checkedTarget = (request: DecisionRequest): ResolutionTarget => {
  checkRequest(request)
  return targetOf(request)
}

/** The target by which a request's limits are resolved. Throws `ZaelError('invalid_request')` for an invalid id in the context. */
const targetOf = ({
  entityId,
  entity,
  resource,
  user,
  session,
  context,
}: DecisionRequest): ResolutionTarget => {
  if (context) checkIds(context, 'context.')
  return { entityId, entity, resource, user, session, context }
}

/** Throws `ZaelError('invalid_request')` for an invalid id. */
const checkIds = ({ apiKey, tenant, tier, model }: PolicySubject, prefix: string): void => {
  const wrong = Object.entries({ api_key: apiKey, tenant, tier }).find(
    ([, id]) => id !== undefined && !isId(id),
  )
  if (wrong) throw invalid(`${prefix}${wrong[0]}`, ID_RULE)
  if (model !== undefined && !isModelId(model)) throw invalid(`${prefix}model`, MODEL_ID_RULE)
}
