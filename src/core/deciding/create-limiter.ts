import { SECOND_NS } from '../algorithms/integers.ts'
import { bucketKey } from '../bucket/bucket-id.ts'
import type { BucketStore } from '../bucket/bucket-store.ts'
import { createBucketWriter } from '../charging/bucket-writer.ts'
import { bucketsBehind, configBehind, createCircuit } from '../charging/circuit.ts'
import { createCharger } from '../charging/shared-charges.ts'
import { countDecision } from '../counting/count-decision.ts'
import { flushTally } from '../counting/flush-tally.ts'
import { createTally } from '../counting/tally.ts'
import { CHARGED_RULE } from '../entity/entity.ts'
import { invalid, StoreUnavailable } from '../errors.ts'
import { createInspector } from '../inspecting/create-inspector.ts'
import { createLeases, type Leases } from '../leasing/leases.ts'
import { TOTAL_RESOURCE } from '../limit/limit.ts'
import { checkCost, withTotalTokens } from '../limit/meter.ts'
import type { Clock } from '../ports/clock.ts'
import { createDecisionLog, type DecisionLog } from '../reporting/decision-log.ts'
import type { Plans } from '../resolving/bucket-plan.ts'
import { createResolver } from '../resolving/create-resolver.ts'
import type { Resolution, ResolutionTarget } from '../resolving/resolve-buckets.ts'
import type { DecideCall } from './charge-all.ts'
import { type DecideDependencies, decide } from './decide.ts'
import type { Decision, DecisionRequest, Limiter } from './decision.ts'
import { createHotPath } from './hot-path.ts'
import {
  DEFAULT_LIMITER_SETTINGS,
  type LimiterDependencies,
  type LimiterSettings,
} from './limiter-dependencies.ts'
import { giveBackLeases, settleCharges } from './reservation.ts'
import { subjectOf, targetOf } from './targets.ts'
import { createFallback } from './unavailable.ts'

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
  const hotPath = createHotPath({ ...deps, leases })
  /** Not at debug level: the hot path evaluates no limits, so there would be nothing to log. */
  const isHot = ({ dryRun }: DecisionRequest): boolean =>
    leases.isOn && !dryRun && dependencies.logger.isDebugOn === false
  const isLimited = ({ entity }: Resolution): boolean => settings.isEnabled && !entity.bypass
  const limitedBy = (request: DecisionRequest, target = targetOf(request)): Resolution | undefined => {
    const known = resolver.peek(target, configAgeNs)
    return known && isLimited(known) ? known : undefined
  }
  const resolve = async (target: ResolutionTarget, maxAgeNs: bigint): Promise<Resolution> => {
    const resolution = await resolver.resolve(target, maxAgeNs)
    return isLimited(resolution) ? resolution : unlimited(resolution)
  }

  return {
    ...createInspector({ ...deps, buckets, isLimited, resolver }),
    async decide(request) {
      checkRequest(request)
      const target = targetOf(request)
      const known = isHot(request) ? limitedBy(request, target) : undefined
      const decision = known && hotPath.decide(known, withTotalTokens(request.cost), request.settles)
      if (decision) return decision
      return decideAndCount(deps, request, (maxAgeNs) => resolve(target, maxAgeNs ?? configAgeNs))
    },
    foreseesDenial(request) {
      checkRequest(request)
      const known = limitedBy(request)
      return known !== undefined && hotPath.denies(known, withTotalTokens(request.cost))
    },
    async checkPolicies(check) {
      const subject = subjectOf(check)
      return decideAndCount(deps, ONE_REQUEST, async (maxAgeNs = configAgeNs) =>
        settings.isEnabled ? resolver.resolvePolicies(subject, maxAgeNs) : { plans: [] },
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
  await giveBackLeases(deps, leases.takeOver(options.all))
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
      giveBack: (rest) => giveBackLeases({ ...dependencies, writer, tally }, rest),
    }),
    fallback: createFallback({ ...dependencies, ...settings }),
    deadlineNs: BigInt(settings.storeDeadlineMs) * MS_NS,
  }
}

const ONE_REQUEST = { cost: { requests: 1 }, settles: false, namesAll: true } as const

/** Which buckets a request meets, from reads no older than `maxAgeNs` (left out: as old as the settings allow). */
type PlansOf = (maxAgeNs?: bigint) => Promise<Plans>

interface CountingDependencies extends DecideDependencies {
  readonly log: DecisionLog
}

const decideAndCount = async (
  deps: CountingDependencies,
  request: DecideCall['request'],
  plansOf: PlansOf,
): Promise<Decision> => {
  const known = await plansOf()
  const decision = await decideByLatest(deps, request, known, () => plansOf(DENIAL_MAX_AGE_NS))
  if (request.dryRun) return decision
  countDecision(deps, decision, known.plans.find(({ isOwn }) => isOwn)?.bucket)
  deps.log(decision)
  return decision
}

/** Before a denial is given, the configuration is looked at again; a change that it shows is decided by at once. */
const decideByLatest = async (
  deps: DecideDependencies,
  request: DecideCall['request'],
  known: Plans,
  reread: () => Promise<Plans>,
): Promise<Decision> => {
  const now = deps.clock.now()
  const decision = await decide(deps, { request, resolution: known, now, reread })
  if (decision.allowed) return decision
  const latest = await orKnown(reread(), known)
  return sameLimits(known, latest) ? decision : decide(deps, { request, resolution: latest, now, reread })
}

const orKnown = async (reading: Promise<Plans>, known: Plans): Promise<Plans> => {
  try {
    return await reading
  } catch (error) {
    if (error instanceof StoreUnavailable) return known
    throw error
  }
}

const sameLimits = (a: Plans, b: Plans): boolean => a === b || limitsText(a) === limitsText(b)

const limitsText = ({ plans }: Plans): string =>
  plans
    .map(({ bucket, limits }) => [
      bucketKey(bucket),
      ...limits.map(
        ({ limit, algorithm, headroom }) => `${limit.name} ${algorithm.text} ${limit.mode ?? ''} ${headroom}`,
      ),
    ])
    .join('\n')

/** Everything is allowed, and counted. */
const unlimited = ({ plans, ...rest }: Resolution): Resolution => ({
  ...rest,
  plans: [{ ...plans[0], limits: [] }],
})
