import type { BucketStore } from '../bucket/bucket-store.ts'
import { createBatches } from '../charge/batches.ts'
import { createCachedBuckets } from '../charge/cached-buckets.ts'
import { configBehind, createCircuit } from '../charge/circuit.ts'
import { createTally, flushTally } from '../charge/counters.ts'
import { createLeases } from '../charge/leases.ts'
import type { ReservedCharges } from '../charge/reservation-store.ts'
import { refundLeases, type SettledBy, settleCharges } from '../charge/settle.ts'
import { CHARGED_RULE, ID_RULE, isId, isModelId, MODEL_ID_RULE } from '../model/entity.ts'
import { invalid } from '../model/errors.ts'
import type { Limit, OnUnavailable } from '../model/limit.ts'
import { TOTAL_RESOURCE } from '../model/limit-set.ts'
import { type Cost, checkCost, withTotalTokens } from '../model/meter.ts'
import type { PolicySubject } from '../model/policy.ts'
import type { ConfigStore } from '../ports/config-store.ts'
import type { CacheFactory, Clock, Logger, Metrics } from '../ports/platform.ts'
import type { EntityResolution, ResolutionTarget } from '../resolve/resolve.ts'
import { createResolver } from '../resolve/resolver.ts'
import { type DecideDependencies, decide } from './decide.ts'
import type { Decision, DecisionRequest } from './decision.ts'
import { createDecisionLog } from './decision-log.ts'
import { createFallback } from './fallback.ts'
import { createFastPath } from './fast-path.ts'
import { createInspector, type Inspector } from './inspector.ts'

/** Decides requests, settles them, and reads the state of limits. One per process. */
export interface Limiter extends Inspector {
  /**
   * Throws `ZaelError`: `not_found` for an unknown entity, `invalid_request` for an amount below 0 or not whole, and for the
   * resource `_total_`;
   * `StoreUnavailable` if the configuration cannot be read.
   */
  decide(request: DecisionRequest): Promise<Decision>
  /**
   * Whether this process knows, by cached configuration and remembered denials, that a request will be denied: without a
   * call of the store. A guess: `decide` may still allow it. Throws `ZaelError('invalid_request')` as `decide`.
   */
  foreseesDenial(request: DecisionRequest): boolean
  /**
   * Settles what some node has charged to `actual` (a meter left out stays as reserved), or refunds all (null). It does so as
   * often as it is called: the caller makes sure that a reservation ends once. Never throws.
   *
   * With `by`, a caller reports what they used: their own buckets are charged in full, those of parents and policies
   * beyond the reservation at most what the caller's own had available and what is available there, and meters that the
   * reservation did not name on the caller's own buckets only. Without it, every bucket is charged in full.
   */
  settleCharges(charges: ReservedCharges, actual: Cost | null, by?: SettledBy): Promise<void>
  /**
   * Charges one request on every policy that applies, of all or of none, whatever the limits of any entity. Allowed where
   * none applies. A denial names every policy that fails. Throws `ZaelError('invalid_request')` for what is no id,
   * `StoreUnavailable` as `decide`.
   */
  checkPolicies(check: PolicySubject): Promise<Decision>
  /** Drops all cached configuration, after this process has changed some: the next decision reads it again. */
  forget(): void
  /** Writes counts that are due (`all`: whatever is pending). Called every second by servers, before each response on Lambda. */
  flush(options?: { readonly all?: boolean }): Promise<void>
}

export interface LimiterSettings {
  /** Limits of callers for which the table has neither limits nor defaults. */
  readonly defaultLimits: readonly Limit[]
  /** How old configuration may be, ms. */
  readonly configCacheMs: number
  /** The store's deadline, ms: a charge is tried again only while half of it is left. */
  readonly storeDeadlineMs: number
  /** For limits without one of their own. */
  readonly onUnavailable: OnUnavailable
  /** Share of a limit that one process grants by itself for limits with `on_unavailable: local`. */
  readonly localShare: number
  /** False: everything is allowed, and counted. */
  readonly isEnabled: boolean
  /** How long real use may wait for a write to go along with, ms; 0 if nothing runs after a response. */
  readonly useDelayMs: number
  /** How long tokens charged ahead may be kept, ms; 0: every decision is the table's. */
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
  leaseTtlMs: 0,
}

export interface LimiterDependencies {
  readonly buckets: BucketStore
  /** Decides for limits with `on_unavailable: local` while `buckets` is unavailable: a store in memory. */
  readonly localBuckets: BucketStore
  readonly config: ConfigStore
  readonly clock: Clock
  readonly logger: Logger
  readonly metrics: Metrics
  readonly newCache: CacheFactory
  /** Waits a short while, at random, before a charge is tried again; longer where it has failed `tries` times. */
  pause(tries: number): Promise<void>
  readonly settings?: Partial<LimiterSettings>
}

const MS_NS = 1_000_000n

/** Buckets whose last state is cached. */
const MAX_CACHED_BUCKETS = 32_000

/**
 * The limiter: resolves what applies, charges it, settles it, and reads its state. One per process. It keeps cached states,
 * leases, counts that wait for a write, and cached configuration in memory; all of it may be lost at any time.
 */
export const createLimiter = (dependencies: LimiterDependencies): Limiter => {
  const settings = { ...DEFAULT_LIMITER_SETTINGS, ...dependencies.settings }
  const deps = createParts(dependencies, settings)
  const { leases, configAgeNs } = deps
  const config = configBehind(createCircuit(dependencies.clock), dependencies.config)
  const resolver = createResolver({ ...dependencies, config, defaults: settings.defaultLimits })
  const fastPath = createFastPath(deps)
  /** Not at debug level: the fast path evaluates no limits, so there would be nothing to log. */
  const isFast = ({ dryRun }: DecisionRequest): boolean =>
    leases.isOn && !dryRun && dependencies.logger.isDebugOn === false
  const isLimited = ({ entity }: EntityResolution): boolean => settings.isEnabled && !entity.bypass
  const cachedResolution = (target: ResolutionTarget): EntityResolution | undefined => {
    const cached = resolver.peek(target, configAgeNs)
    return cached && isLimited(cached) ? cached : undefined
  }
  const resolve = async (target: ResolutionTarget, maxAgeNs: bigint): Promise<EntityResolution> => {
    const resolution = await resolver.resolve(target, maxAgeNs)
    return isLimited(resolution) ? resolution : unlimited(resolution)
  }

  return {
    ...createInspector({ ...deps, isLimited, resolver }),
    async decide(request) {
      checkRequest(request)
      const target = targetOf(request)
      const cached = isFast(request) ? cachedResolution(target) : undefined
      const decision = cached && fastPath.decide(cached, withTotalTokens(request.cost), request.settles)
      return decision ?? decide(deps, request, (maxAgeNs) => resolve(target, maxAgeNs))
    },
    foreseesDenial(request) {
      checkRequest(request)
      const cached = cachedResolution(targetOf(request))
      return cached !== undefined && fastPath.denies(cached, withTotalTokens(request.cost))
    },
    async checkPolicies(check) {
      const subject = subjectOf(check)
      return decide(deps, ONE_REQUEST, async (maxAgeNs) =>
        settings.isEnabled ? resolver.resolvePolicies(subject, maxAgeNs) : { buckets: [] },
      )
    },
    settleCharges: (charges, actual, by) => settleCharges(deps, charges, actual, { by }),
    forget: resolver.forget,
    /** Leases first: their refunds take the counts along. */
    async flush({ all = false } = {}) {
      if (all) await deps.batches.renewed()
      await refundLeases(deps, leases.takeEnded(all))
      await flushTally(deps, { all, useDelayNs: BigInt(settings.useDelayMs) * MS_NS })
    },
  }
}

const createParts = (dependencies: LimiterDependencies, settings: LimiterSettings): DecideDependencies => {
  const { clock, logger, metrics, newCache } = dependencies
  // where nothing runs after a response, no lease is charged after one
  const follows = settings.useDelayMs > 0
  const leases = createLeases({ clock, ttlNs: BigInt(settings.leaseTtlMs) * MS_NS, follows })
  const store = createCachedBuckets({
    store: dependencies.buckets,
    cache: newCache({ max: MAX_CACHED_BUCKETS }),
    clock,
    metrics,
    onNewGeneration: leases.voidAt,
  })
  const charging = { store, leases, tally: createTally(), clock, logger, metrics }
  return {
    ...charging,
    batches: createBatches(charging),
    log: createDecisionLog(dependencies),
    fallback: createFallback({ ...dependencies, ...settings }),
    deadlineNs: BigInt(settings.storeDeadlineMs) * MS_NS,
    configAgeNs: BigInt(settings.configCacheMs) * MS_NS,
    pause: dependencies.pause,
  }
}

/** `_total_` by itself would leave out the limits on every resource, and those of parents. */
const checkRequest = ({ cost, resource }: DecisionRequest): void => {
  checkCost(cost)
  if (resource === TOTAL_RESOURCE) throw invalid('resource', CHARGED_RULE)
}

const ONE_REQUEST = { cost: { requests: 1 }, settles: false, namesAll: true } as const

/** Everything is allowed, and counted. */
const unlimited = ({ buckets: plans, ...rest }: EntityResolution): EntityResolution => ({
  ...rest,
  buckets: [{ ...plans[0], limits: [] }],
})

/** What a request's limits are resolved by. Throws `ZaelError('invalid_request')` where the context names what is no id. */
export const targetOf = ({ entityId, resource, user, context }: DecisionRequest): ResolutionTarget => {
  if (context) checkIds(context, 'context.')
  return { entityId, resource, user: knownUser(user), context }
}

/** What policies alone are picked by. Throws likewise. */
export const subjectOf = (check: PolicySubject): PolicySubject => {
  checkIds(check, '')
  return { ...check, user: knownUser(check.user) }
}

/** A user's name is any text that a client sends; only an id can have a policy, so others are not looked up. */
const knownUser = (user: string | undefined): string | undefined =>
  user !== undefined && isId(user) ? user : undefined

const checkIds = ({ apiKey, tenant, tier, model }: PolicySubject, prefix: string): void => {
  const wrong = Object.entries({ api_key: apiKey, tenant, tier }).find(
    ([, id]) => id !== undefined && !isId(id),
  )
  if (wrong) throw invalid(`${prefix}${wrong[0]}`, ID_RULE)
  if (model !== undefined && !isModelId(model)) throw invalid(`${prefix}model`, MODEL_ID_RULE)
}
