import { type BucketStore, bucketKey } from '../bucket/bucket-store.ts'
import { createCharger } from '../charge/batch.ts'
import { createBucketWriter } from '../charge/bucket-writer.ts'
import { bucketsBehind, configBehind, createCircuit } from '../charge/circuit.ts'
import { createTally, flushTally } from '../charge/counters.ts'
import { createLeases, type Leases } from '../charge/leases.ts'
import type { ReservedCharges } from '../charge/reservation-store.ts'
import { CHARGED_RULE, ID_RULE, isId, isModelId, MODEL_ID_RULE } from '../model/entity.ts'
import { invalid, StoreUnavailable } from '../model/errors.ts'
import type { Limit, OnUnavailable } from '../model/limit.ts'
import { TOTAL_RESOURCE } from '../model/limit-set.ts'
import { type Cost, checkCost, withTotalTokens } from '../model/meter.ts'
import type { PolicySubject } from '../model/policy.ts'
import { SECOND_NS } from '../model/time.ts'
import type { ConfigStore } from '../ports/config-store.ts'
import type { CacheFactory, Clock, Logger, Metrics } from '../ports/platform.ts'
import type { Resolution } from '../resolve/resolution.ts'
import type { EntityResolution, ResolutionTarget } from '../resolve/resolve.ts'
import { createResolver } from '../resolve/resolver.ts'
import type { DecideCall } from './charge-buckets.ts'
import { type DecideDependencies, decide } from './decide.ts'
import type { Decision, DecisionRequest, SettledBy } from './decision.ts'
import { countDecision, createDecisionLog, type DecisionLog } from './decision-log.ts'
import { createFallback } from './fallback.ts'
import { createFastPath } from './fast-path.ts'
import { createInspector, type Inspector } from './inspector.ts'
import { refundLeases, settleCharges } from './reservation.ts'

/** Deciding, and what people ask of it. One per process. */
export interface Limiter extends Inspector {
  /**
   * Throws `ZaelError`: `not_found` for an unknown entity, `invalid_request` for an amount below 0 or not whole, and for the
   * resource `_total_`;
   * `StoreUnavailable` where the configuration cannot be read. */
  decide(request: DecisionRequest): Promise<Decision>
  /**
   * Whether this process knows, by cached configuration and remembered denials, that a request will be denied: without a
   * call of the store. A guess: `decide` may still allow it. Throws `ZaelError('invalid_request')` as `decide`.
   */
  foreseesDenial(request: DecisionRequest): boolean
  /**
   * Settles what some node has charged to `actual` (a meter left out stays as reserved), or gives all back (null). It
   * does so as often as it is called: that a reservation ends once is for the caller to see to. Never throws.
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
  /** Tells this process that configuration was changed by it: the next decision reads anew. */
  forget(): void
  /** Writes counts that are due (`all`: whatever is pending). Called every second by servers, before an answer on Lambda. */
  flush(options?: { readonly all?: boolean }): Promise<void>
}

export interface LimiterSettings {
  /** Limits of callers for which the table has neither limits nor defaults. */
  readonly defaultLimits: readonly Limit[]
  /** How old configuration may be, ms. */
  readonly configCacheMs: number
  /** After how long without an answer a charge is not tried again, ms. */
  readonly storeDeadlineMs: number
  /** For limits that do not say it themselves. */
  readonly onUnavailable: OnUnavailable
  /** Share of a limit that one process grants by itself where a limit says `local`. */
  readonly localShare: number
  /** False: everything is allowed, and counted. */
  readonly isEnabled: boolean
  /** How long real use may wait for a write to go along with, ms; 0 where nothing runs after the answer. */
  readonly useDelayMs: number
  /** How long tokens charged ahead may be kept, ms; 0: every decision asks the table. */
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
  /** Decides for limits that say `local` while `buckets` is away: a store in memory. */
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

/** A denial is given by configuration no older than this, so that a raised limit helps within a second on every node. */
const DENIAL_MAX_AGE_NS = SECOND_NS

/** Buckets whose last state is kept in memory. */
const MAX_VIEWS = 32_000

/**
 * The limiter: resolves what applies, charges it, settles it, and tells its state. One per process; what it keeps in
 * memory is guesses, counts on their way, and cached configuration, and all of it may be lost at any time.
 */
export const createLimiter = (dependencies: LimiterDependencies): Limiter => {
  const settings = { ...DEFAULT_LIMITER_SETTINGS, ...dependencies.settings }
  const { clock } = dependencies
  const buckets = bucketsBehind(createCircuit(clock), dependencies.buckets)
  const leases = leasesBy(settings, clock)
  const deps = createParts(dependencies, settings, buckets, leases)
  const config = configBehind(createCircuit(clock), dependencies.config)
  const resolver = createResolver({ ...dependencies, config, defaults: settings.defaultLimits })
  const configAgeNs = BigInt(settings.configCacheMs) * MS_NS
  const fastPath = createFastPath({ ...deps, leases })
  /** Not at debug level: the fast path evaluates no limits, so there would be nothing to log. */
  const isHot = ({ dryRun }: DecisionRequest): boolean =>
    leases.isOn && !dryRun && dependencies.logger.isDebugOn === false
  const isLimited = ({ entity }: EntityResolution): boolean => settings.isEnabled && !entity.bypass
  const limitedBy = (request: DecisionRequest, target = targetOf(request)): EntityResolution | undefined => {
    const known = resolver.peek(target, configAgeNs)
    return known && isLimited(known) ? known : undefined
  }
  const resolve = async (target: ResolutionTarget, maxAgeNs: bigint): Promise<EntityResolution> => {
    const resolution = await resolver.resolve(target, maxAgeNs)
    return isLimited(resolution) ? resolution : unlimited(resolution)
  }

  return {
    ...createInspector({ ...deps, buckets, isLimited, resolver }),
    async decide(request) {
      checkRequest(request)
      const target = targetOf(request)
      const known = isHot(request) ? limitedBy(request, target) : undefined
      const decision = known && fastPath.decide(known, withTotalTokens(request.cost), request.settles)
      if (decision) return decision
      return decideAndCount(deps, request, (maxAgeNs) => resolve(target, maxAgeNs ?? configAgeNs))
    },
    foreseesDenial(request) {
      checkRequest(request)
      const known = limitedBy(request)
      return known !== undefined && fastPath.denies(known, withTotalTokens(request.cost))
    },
    async checkPolicies(check) {
      const subject = subjectOf(check)
      return decideAndCount(deps, ONE_REQUEST, async (maxAgeNs = configAgeNs) =>
        settings.isEnabled ? resolver.resolvePolicies(subject, maxAgeNs) : { buckets: [] },
      )
    },
    settleCharges: (charges, actual, by) => settleCharges(deps, charges, actual, by && { by }),
    forget: resolver.forget,
    flush: ({ all = false } = {}) =>
      flush(deps, leases, { all, useDelayNs: BigInt(settings.useDelayMs) * MS_NS }),
  }
}

/** `_total_` by itself would leave out the limits on every resource, and those of parents. */
const checkRequest = ({ cost, resource }: DecisionRequest): void => {
  checkCost(cost)
  if (resource === TOTAL_RESOURCE) throw invalid('resource', CHARGED_RULE)
}

/** Where nothing runs after an answer, no lease is charged beside one. */
const leasesBy = ({ leaseTtlMs, useDelayMs }: LimiterSettings, clock: Clock): Leases =>
  createLeases({ clock, ttlNs: BigInt(leaseTtlMs) * MS_NS, follows: useDelayMs > 0 })

/** Leases first: what they give back takes the counts along. */
const flush = async (
  deps: DecideDependencies,
  leases: Leases,
  options: Parameters<typeof flushTally>[1],
): Promise<void> => {
  if (options.all) await deps.charger.renewed()
  await refundLeases(deps, leases.takeEnded(options.all))
  await flushTally(deps, options)
}

const createParts = (
  dependencies: LimiterDependencies,
  settings: LimiterSettings,
  buckets: BucketStore,
  leases: Leases,
): CountingDependencies => {
  const { clock, metrics, newCache } = dependencies
  const writer = createBucketWriter(buckets, newCache({ max: MAX_VIEWS }), metrics, leases.voidAt)
  const tally = createTally()
  return {
    ...dependencies,
    log: createDecisionLog(dependencies),
    writer,
    tally,
    heldAt: leases.heldAt,
    charger: createCharger({
      ...{ writer, tally, clock, leases, metrics },
      refund: (rest) => refundLeases({ ...dependencies, writer, tally }, rest),
    }),
    fallback: createFallback({ ...dependencies, ...settings }),
    deadlineNs: BigInt(settings.storeDeadlineMs) * MS_NS,
  }
}

const ONE_REQUEST = { cost: { requests: 1 }, settles: false, namesAll: true } as const

/** Which buckets a request meets, from reads no older than `maxAgeNs` (left out: as old as the settings allow). */
type Resolve = (maxAgeNs?: bigint) => Promise<Resolution>

interface CountingDependencies extends DecideDependencies {
  readonly log: DecisionLog
}

const decideAndCount = async (
  deps: CountingDependencies,
  request: DecideCall['request'],
  plansOf: Resolve,
): Promise<Decision> => {
  const known = await plansOf()
  const decision = await decideByLatest(deps, request, known, () => plansOf(DENIAL_MAX_AGE_NS))
  if (request.dryRun) return decision
  countDecision(deps, decision, known.buckets.find(({ isOwn }) => isOwn)?.id)
  deps.log(decision)
  return decision
}

/** Before a denial is given, the configuration is looked at again; a change that it shows is decided by at once. */
const decideByLatest = async (
  deps: DecideDependencies,
  request: DecideCall['request'],
  known: Resolution,
  reread: () => Promise<Resolution>,
): Promise<Decision> => {
  const now = deps.clock.now()
  const decision = await decide(deps, { request, resolution: known, now, reread })
  if (decision.allowed) return decision
  const latest = await orKnown(reread(), known)
  return sameLimits(known, latest) ? decision : decide(deps, { request, resolution: latest, now, reread })
}

const orKnown = async (reading: Promise<Resolution>, known: Resolution): Promise<Resolution> => {
  try {
    return await reading
  } catch (error) {
    if (error instanceof StoreUnavailable) return known
    throw error
  }
}

const sameLimits = (a: Resolution, b: Resolution): boolean =>
  a === b || resolutionText(a) === resolutionText(b)

const resolutionText = ({ buckets: plans }: Resolution): string =>
  plans
    .map(({ id: bucket, limits }) => [
      bucketKey(bucket),
      ...limits.map(
        ({ limit, algorithm, headroom }) => `${limit.name} ${algorithm.text} ${limit.mode ?? ''} ${headroom}`,
      ),
    ])
    .join('\n')

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
