import { type BucketId, bucketKey } from '../bucket/bucket-store.ts'
import { boundOf, type EffectiveLimit, isPaused } from '../bucket/effective-limit.ts'
import { isEnforced } from '../model/limit.ts'
import { TOTAL_RESOURCE } from '../model/limit-set.ts'
import { type Cost, IN_FLIGHT, type Meter, usedInstead, withTotalTokens } from '../model/meter.ts'
import { DAY_NS, larger, smaller } from '../model/time.ts'
import type { Pace } from '../ports/model-backend.ts'
import type { Cache, CacheFactory, Clock } from '../ports/platform.ts'
import { type ApplicableBucket, sameLimits } from '../resolve/resolution.ts'
import type { EntityResolution } from '../resolve/resolve.ts'
import { DENIAL_MAX_AGE_NS, type DecideDependencies, recorded, undefinedIfUnavailable } from './decide.ts'
import type {
  Allowed,
  Decision,
  DecisionRequest,
  Denied,
  LimitState,
  Reservation,
  Violation,
} from './decision.ts'
import { cachedView, limitStates, longestWait, neverFits } from './limit-state.ts'

/*
 * Requests to a model whose upstream is at its own limit. Each limit that applies to them gets a counterpart in memory: a
 * bucket of its size and rate, which a request charges with amount / factor. A request passes if it fits all of them, and is
 * then decided by the limits as any other. So pacing only denies: what the limits admit does not grow, and nothing of it is
 * stored. Within any time T, what this process admits to a limit of bound B and rate r, each amount divided by the factor of
 * its time, is at most B + r × T; beyond it only one request that is larger than B.
 *
 * Lowering the bound of the limits themselves would not do: a token bucket of any size admits its full rate in the long run.
 */

export interface Pacing {
  /** Decides by the pace, then by the limits. Throws as `Limiter.decide`. */
  decide(request: DecisionRequest): Promise<Decision>
  /** Whether `decide` would deny because of the pace. */
  denies(resolution: EntityResolution, cost: Cost, pace: Pace | undefined): boolean
}

export interface PacingDependencies extends DecideDependencies {
  readonly newCache: CacheFactory
  resolve(request: DecisionRequest, maxAgeNs: bigint): Promise<EntityResolution>
  /** By the limits alone. */
  decide(request: DecisionRequest): Promise<Decision>
}

/** A request at the pace of its model. */
interface PacedRequest {
  readonly resolution: EntityResolution
  /** With the total of the tokens. */
  readonly cost: Cost
  readonly pace: Pace
}

/** The charge of a request that was admitted. */
interface PacedCharge {
  readonly allowed: true
  /** The decision of the limits, with what the pace leaves of them, and settled together with the pace. */
  applyTo(decision: Allowed): Allowed
  /** The limits have denied. */
  refund(): void
}

/** More than callers that are active at once. */
const MAX_PACED = 20_000

/** The counterpart of a limit. */
interface Paced {
  /** As of `atNs`; above the bound after a request that is larger. */
  used: number
  /** By the monotonic clock. */
  atNs: bigint
  /** The fall of the factor that it belongs to. */
  readonly since: bigint
}

/** A limit that a request is paced by. */
interface PacedLimit {
  readonly paced: Paced
  readonly bucket: BucketId
  readonly name: string
  readonly meter: Meter
  readonly amount: number
  readonly factor: number
  /** As in `Pace`. */
  readonly recoveryNs: bigint
  readonly bound: number
  /** Tokens per ns. */
  readonly rate: number
}

export const createPacing = (deps: PacingDependencies): Pacing => {
  const all = deps.newCache<Paced>({ max: MAX_PACED })
  const admit = (request: PacedRequest): PacedCharge | Denied => {
    const limits = pacedLimits(deps, all, request)
    if (limits.some((limit) => waitOf(limit) > 0)) return deniedBy(deps, request, limits)
    for (const { paced, amount, factor } of limits) paced.used += amount / factor
    return chargeOf(limits, request.cost, deps.clock)
  }
  /** As before any denial, a limit that has been raised counts. */
  const admitByLatest = async (request: DecisionRequest, pace: Pace) => {
    const cost = withTotalTokens(request.cost)
    const resolution = await deps.resolve(request, deps.configAgeNs)
    const admitted = admit({ cost, pace, resolution })
    if (admitted.allowed) return { admitted, resolution }
    const latest = await deps.resolve(request, DENIAL_MAX_AGE_NS).catch(undefinedIfUnavailable)
    return latest === undefined || sameLimits(resolution, latest)
      ? { admitted, resolution }
      : { admitted: admit({ cost, pace, resolution: latest }), resolution: latest }
  }
  return {
    denies: (resolution, cost, pace) =>
      pace !== undefined &&
      pacedLimits(deps, all, { resolution, cost, pace }).some((limit) => waitOf(limit) > 0),
    async decide({ pace, ...request }) {
      if (pace === undefined) return deps.decide(request)
      const { admitted, resolution } = await admitByLatest(request, pace)
      if (!admitted.allowed) {
        pace.onDenial()
        return recorded(deps, request, resolution, admitted)
      }
      const decision = await deps.decide(request).catch((error: unknown) => {
        admitted.refund()
        throw error
      })
      if (decision.allowed) return admitted.applyTo(decision)
      admitted.refund()
      return decision
    },
  }
}

/** The limits of the request's own bucket on the resource, of its parents' there, and of the model's policy. */
const pacedLimits = (
  deps: PacingDependencies,
  all: Cache<Paced>,
  { resolution, cost, pace }: PacedRequest,
): readonly PacedLimit[] => {
  // the limits deny what can never pass, without a wait
  if (resolution.buckets.some((bucket) => neverFits(bucket, cost))) return []
  const [own] = resolution.buckets
  return resolution.buckets.flatMap((bucket) => {
    if (!isInScope(bucket.id, own.resource)) return []
    return bucket.limits.flatMap((effective): readonly PacedLimit[] => {
      const { meter, name } = effective.limit
      if (meter === IN_FLIGHT || !isRate(effective)) return []
      const amount = cost[meter]
      if (amount === undefined) return []
      const bound = boundOf(effective)
      const rate = bound / Number(effective.algorithm.windowNs)
      const { factor, recoveryNs, since } = pace
      const paced = pacedOf(deps, all, { bucket, name, bound, rate, since })
      return [{ paced, bucket: bucket.id, name, meter, amount, factor, recoveryNs, bound, rate }]
    })
  })
}

interface PacedName extends Pick<PacedLimit, 'name' | 'bound' | 'rate'> {
  readonly bucket: ApplicableBucket
  readonly since: bigint
}

/** The counterpart of a limit, up to date; a new one in the state of the limit. */
const pacedOf = (
  deps: PacingDependencies,
  all: Cache<Paced>,
  { bucket, name, bound, rate, since }: PacedName,
): Paced => {
  const nowNs = deps.clock.monotonic()
  const key = `${bucketKey(bucket.id)}#${name}`
  const known = all.get(key)
  if (known?.since === since) {
    refill(known, rate, nowNs)
    return known
  }
  const state = statesOf(deps, bucket).find(({ limit }) => limit.name === name)
  const paced = { used: Math.max(0, bound - (state?.available ?? bound)), atNs: nowNs, since }
  all.set(key, paced)
  return paced
}

/** As cached, with what leases hold. */
const statesOf = ({ store, leases, clock }: PacingDependencies, bucket: ApplicableBucket) =>
  limitStates({ ...cachedView(store, bucket), held: leases.heldAt(bucket.id) }, clock.now())

const refill = (paced: Paced, rate: number, nowNs: bigint): void => {
  paced.used = Math.max(0, paced.used - Number(nowNs - paced.atNs) * rate)
  paced.atNs = nowNs
}

const isInScope = (id: BucketId, resource: string): boolean =>
  id.kind === 'policy' ? id.scope === 'MODEL' : id.resource === resource && id.resource !== TOTAL_RESOURCE

/** Neither quotas of a day or longer nor money: how much of them is used does not depend on the load of the upstream. */
const isRate = (effective: EffectiveLimit): boolean =>
  isEnforced(effective.limit) &&
  !isPaused(effective) &&
  effective.limit.meter !== 'cost_usd_micros' &&
  effective.algorithm.windowNs < DAY_NS

/** ns until the amount fits; 0: now. More than the bound passes once nothing is in use, and is paid off afterwards. */
const waitOf = ({ paced, amount, factor, bound, rate }: PacedLimit): number => {
  if (amount === 0) return 0
  const excess = paced.used - Math.max(0, bound - amount / factor)
  return excess > ROUNDING ? excess / rate : 0
}

/** In tokens: sums of shares are not exact. */
const ROUNDING = 1e-6

const deniedBy = (
  deps: PacingDependencies,
  { resolution, pace }: PacedRequest,
  limits: readonly PacedLimit[],
): Denied => {
  const states = resolution.buckets.flatMap((bucket) => statesOf(deps, bucket))
  const left = states.map((state) => leftOf(state, limits))
  const violations = limits.flatMap((limit): readonly Violation[] => {
    const wait = waitOf(limit)
    const state = left.find((each) => isStateOf(each, limit))
    if (wait === 0 || state === undefined) return []
    const retryAfterNs = larger(1n, atMostUntilRecovery(limit, wait))
    return [{ state, meter: limit.meter, requested: limit.amount, retryAfterNs, factor: pace.factor }]
  })
  return {
    allowed: false,
    degraded: false,
    unavailable: false,
    limits: left,
    violations,
    reported: [],
    retryAfterNs: longestWait(violations.map(({ retryAfterNs }) => retryAfterNs)),
  }
}

const isStateOf = ({ bucket, limit }: LimitState, paced: PacedLimit): boolean =>
  limit.name === paced.name && bucketKey(bucket) === bucketKey(paced.bucket)

/** A state with what the pace leaves of it. */
const leftOf = (state: LimitState, limits: readonly PacedLimit[]): LimitState => {
  const limit = limits.find((each) => isStateOf(state, each))
  if (limit === undefined) return state
  const { paced, factor, bound, rate } = limit
  const left = Math.max(0, Math.floor((bound - paced.used) * factor + ROUNDING))
  if (left >= state.available) return state
  return {
    ...state,
    available: left,
    used: state.capacity - left,
    resetNs: larger(state.resetNs, atMostUntilRecovery(limit, paced.used / rate)),
    ...(left === 0 && {
      nextNs: larger(state.nextNs ?? 0n, atMostUntilRecovery(limit, waitOf({ ...limit, amount: 1 }))),
    }),
  }
}

/** The factor is 1 then, and the limit alone applies. */
const atMostUntilRecovery = ({ recoveryNs }: PacedLimit, ns: number): bigint =>
  smaller(BigInt(Math.ceil(ns)), recoveryNs)

const chargeOf = (limits: readonly PacedLimit[], reserved: Cost, clock: Clock): PacedCharge => {
  const settleTo = (actual: Cost): void => {
    for (const { paced, meter, amount, factor, rate } of limits) {
      refill(paced, rate, clock.monotonic())
      paced.used = Math.max(0, paced.used + ((actual[meter] ?? 0) - amount) / factor)
    }
  }
  return {
    allowed: true,
    refund: () => settleTo({}),
    applyTo(decision) {
      const { degraded, unavailableCause, reported } = decision
      return {
        allowed: true,
        degraded,
        ...(unavailableCause !== undefined && { unavailableCause }),
        reported,
        limits: decision.limits.map((state) => leftOf(state, limits)),
        reservation: settling(decision.reservation, reserved, settleTo),
      }
    },
  }
}

/**
 * A reservation whose first settlement is that of the pace as well. A request that the upstream has rejected stays charged to the
 * pace: the upstream has received it.
 */
const settling = (
  reservation: Reservation,
  reserved: Cost,
  settleTo: (actual: Cost) => void,
): Reservation => {
  let isSettled = false
  const once = (actual: Cost): void => {
    if (!isSettled) settleTo(actual)
    isSettled = true
  }
  return {
    charges: reservation.charges,
    held: reservation.held,
    settle(actual) {
      once(usedInstead(reserved, actual))
      return reservation.settle(actual)
    },
    release() {
      isSettled = true
      return reservation.release()
    },
  }
}
