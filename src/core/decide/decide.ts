import { areHeld } from '../bucket/effective-limit.ts'
import { useOf } from '../charge/counters.ts'
import { refundAll } from '../charge/settle.ts'
import { StoreUnavailable } from '../model/errors.ts'
import { isEnforced } from '../model/limit.ts'
import { amountOf, type ChargedCost, type Cost, isFree, NO_SLOTS, withTotalTokens } from '../model/meter.ts'
import { MS_NS, SECOND_NS } from '../model/time.ts'
import { type ApplicableBucket, type Resolution, sameLimits } from '../resolve/resolution.ts'
import { type ChargeAttempt, type ChargingDependencies, chargeBuckets, hasDenied } from './charge-buckets.ts'
import type { Decision, DecisionRequest, Denied, Violation } from './decision.ts'
import { countDecision, type DecisionLog } from './decision-log.ts'
import type { Fallback } from './fallback.ts'
import {
  type BucketView,
  type ChargedPart,
  exceededIn,
  limitStates,
  longestWait,
  neverFits,
  readViews,
  violationsOf,
} from './limit-state.ts'
import { createHolding, settledReservation } from './reservation.ts'

export interface DecideDependencies extends ChargingDependencies {
  readonly fallback: Fallback
  readonly log: DecisionLog
  /** An id for the slots of one request, unique among those of all processes. */
  newSlotId(): string
  /** How old the configuration may be, ns. */
  readonly configAgeNs: bigint
}

/** A request without its buckets. */
export interface BucketsRequest
  extends Pick<DecisionRequest, 'cost' | 'settles' | 'holds' | 'slotsUntil' | 'dryRun'> {
  /** True: a denial names every limit that would deny, including those of buckets that were not charged. */
  readonly namesAll?: boolean
}

/** The maximum age of the configuration of a denial: a raised limit applies within a second on every node. */
export const DENIAL_MAX_AGE_NS = SECOND_NS

/** The wait of a denial because other writes came first at every attempt. */
const CONTENDED_WAIT_NS = 50n * MS_NS

/**
 * The resolution loop: charges every bucket that applies, and refunds all of them if one denies. Before a denial, and if a
 * bucket contains a later version of a limit, the configuration is read again; if that changes anything, the request is decided
 * once more by the latest limits. So there are at most two attempts. A cost that fits no state of some bucket is denied without
 * a write. `resolve` returns the buckets that apply, from reads no older than its argument; its errors are thrown, except for
 * `StoreUnavailable` after a denial.
 */
export const decide = async (
  deps: DecideDependencies,
  request: BucketsRequest,
  resolve: (maxAgeNs: bigint) => Promise<Resolution>,
): Promise<Decision> => {
  let attempt = firstAttempt(deps, request, await resolve(deps.configAgeNs))
  for (;;) {
    const parts = isWritten(request, attempt) ? await chargeBuckets(deps, attempt) : undefined
    const decision = await conclude(deps, attempt, parts)
    const next = await nextAttempt(deps, request, attempt, resolve, decision)
    // without a decision there is a next attempt; the second attempt always results in a decision
    if (next === undefined && decision) return recorded(deps, request, attempt.resolution, decision)
    attempt = next ?? attempt
  }
}

const firstAttempt = (
  deps: DecideDependencies,
  request: BucketsRequest,
  resolution: Resolution,
): ChargeAttempt => {
  const { settles, namesAll = false } = request
  const moment = { now: deps.clock.now(), startedNs: deps.clock.monotonic() }
  const cost = chargedCost(deps, request, resolution)
  return { cost, resolution, isLatest: false, settles, namesAll, ...moment }
}

/** The cost, and a slot for all concurrency limits, if there are any: each bucket has its own. */
const chargedCost = (
  { newSlotId }: DecideDependencies,
  { cost, settles, holds = settles, slotsUntil }: BucketsRequest,
  { buckets }: Resolution,
): ChargedCost => {
  const whole = withTotalTokens(cost)
  if (!buckets.some(({ limits }) => areHeld(limits))) return whole
  if (!holds) return { ...whole, slots: NO_SLOTS }
  const id = newSlotId()
  return { ...whole, slots: [slotsUntil === undefined ? { id } : { id, until: slotsUntil }] }
}

/** A cost without meters only reads, unless its settlement may charge. */
const isWritten = ({ dryRun }: BucketsRequest, { resolution, cost, settles }: ChargeAttempt): boolean =>
  dryRun !== true &&
  (settles || !isFree(cost) || (cost.slots ?? NO_SLOTS).length > 0) &&
  !resolution.buckets.some((bucket) => neverFits(bucket, cost))

/** The attempt by the latest limits; undefined if the request is allowed, or if these limits are the same or cannot be read. */
const nextAttempt = async (
  deps: DecideDependencies,
  request: BucketsRequest,
  attempt: ChargeAttempt,
  resolve: (maxAgeNs: bigint) => Promise<Resolution>,
  decision: Decision | undefined,
): Promise<ChargeAttempt | undefined> => {
  if (attempt.isLatest || decision?.allowed) return undefined
  const reading = resolve(DENIAL_MAX_AGE_NS)
  const resolution = await (decision ? reading.catch(undefinedIfUnavailable) : reading)
  if (resolution === undefined || (decision && sameLimits(attempt.resolution, resolution))) return undefined
  const cost = chargedCost(deps, request, resolution)
  return { ...attempt, cost, resolution, isLatest: true, startedNs: deps.clock.monotonic() }
}

export const undefinedIfUnavailable = (error: unknown): undefined => {
  if (!(error instanceof StoreUnavailable)) throw error
}

/** Counts and logs the decision. */
export const recorded = (
  deps: DecideDependencies,
  { dryRun }: Pick<BucketsRequest, 'dryRun'>,
  resolution: Resolution,
  decision: Decision,
): Decision => {
  if (dryRun) return decision
  countDecision(deps, decision, resolution.buckets.find(({ isOwn }) => isOwn)?.id)
  deps.log(decision)
  return decision
}

/**
 * The decision; without `parts`, by the stored states. Undefined if a bucket contains a later version of a limit: then all
 * charges have been refunded.
 */
const conclude = async (
  deps: DecideDependencies,
  attempt: ChargeAttempt,
  parts: readonly ChargedPart[] | undefined,
): Promise<Decision | undefined> => {
  if (parts === undefined) return decideByReading(deps, attempt)
  const { cost, settles, now, startedNs } = attempt
  if (parts.some(({ result }) => result === 'outdated')) {
    await refundAll(deps, parts, startedNs)
    return undefined
  }
  const violations = await violationsIn(deps, parts, attempt)
  if (violations !== undefined) {
    await refundAll(deps, parts, startedNs)
    return { ...deniedBy(deps, parts, violations, now), ...availabilityOf(parts) }
  }
  const limits = reachedViews(parts).flatMap((view) => limitStates(view, now))
  const reservation = createHolding(deps, parts, cost, settles, startedNs)
  if (!settles) countUse(deps, parts, cost)
  return { allowed: true, ...availabilityOf(parts), limits, reported: reportedIn(parts), reservation }
}

/** No violations: a limit with `on_unavailable: deny` could not be checked. */
const deniedBy = (
  { store, leases }: DecideDependencies,
  parts: readonly ChargedPart[],
  violations: readonly Violation[],
  now: bigint,
): Denied => {
  // as they are after the refunds, of which leases have taken over some
  const views = reachedViews(parts).map((view) => ({
    ...view,
    item: store.cached(view.bucket.id) ?? view.item,
    held: leases.heldAt(view.bucket.id),
  }))
  return {
    ...denied(views, violations, now),
    reported: reportedIn(parts),
    unavailable: violations.length === 0,
  }
}

const reachedViews = (parts: readonly ChargedPart[]): readonly BucketView[] =>
  parts.filter((part) => !isUnavailable(part)).map(({ view }) => view)

const reportedIn = (parts: readonly ChargedPart[]): readonly Violation[] =>
  parts.flatMap(({ reported }) => reported)

const availabilityOf = (parts: readonly ChargedPart[]): Pick<Decision, 'degraded' | 'unavailableCause'> => {
  const unavailable = parts.find(isUnavailable)
  if (unavailable === undefined) return { degraded: false }
  const { unavailableCause } = unavailable
  return { degraded: true, ...(unavailableCause !== undefined && { unavailableCause }) }
}

/** The limits that deny; undefined if the request is allowed. The fallback is charged only if no stored limit denies. */
const violationsIn = async (
  deps: DecideDependencies,
  parts: readonly ChargedPart[],
  { cost, now }: ChargeAttempt,
): Promise<readonly Violation[] | undefined> => {
  if (parts.some(({ result }) => result === 'contended')) deps.metrics.count('decisions_contended')
  if (parts.some(hasDenied)) return parts.flatMap((part) => partViolations(part, cost, now))
  const unreached = parts.filter(isUnavailable).map(({ view }) => view.bucket)
  if (unreached.length === 0) return undefined
  const { isDenied, violations } = await deps.fallback.decide(unreached, cost, now)
  return isDenied ? violations : undefined
}

/**
 * Decides by the stored states without a charge. If the store is unavailable, a cost that fits no state is denied, and one
 * without meters is allowed.
 */
const decideByReading = async (
  deps: DecideDependencies,
  { resolution, cost, now }: ChargeAttempt,
): Promise<Decision> => {
  const neverFitting = resolution.buckets.filter((bucket) => neverFits(bucket, cost))
  const views = await readViews(deps, resolution).catch((error: unknown) => {
    const isDecided = neverFitting.length > 0 || isFree(cost)
    if (isDecided && error instanceof StoreUnavailable) return error
    throw error
  })
  if (views instanceof StoreUnavailable)
    return isFree(cost) ? allowedUnread(views) : deniedUnread(neverFitting, cost, now, views)
  const violations = views.flatMap((view) => violationsOf(view, cost, now))
  const reported = views.flatMap((view) => exceededIn(view, cost, now))
  if (violations.length > 0) return { ...denied(views, violations, now), reported }
  const limits = views.flatMap((view) => limitStates(view, now))
  return { allowed: true, degraded: false, limits, reported, reservation: settledReservation }
}

const allowedUnread = ({ reason }: StoreUnavailable): Decision => ({
  ...{ allowed: true, limits: [], reported: [], reservation: settledReservation },
  ...{ degraded: true, unavailableCause: reason },
})

/** The denial of a cost that is larger than a limit, without a state: it shows no limits, as their state is unknown. */
const deniedUnread = (
  buckets: readonly ApplicableBucket[],
  cost: ChargedCost,
  now: bigint,
  { reason }: StoreUnavailable,
): Denied => {
  const views = buckets.map((bucket) => ({ bucket, limits: bucket.limits, item: undefined }))
  const violations = views.flatMap((view) => violationsOf(view, cost, now))
  return { ...denied([], violations, now), degraded: true, unavailableCause: reason }
}

const isUnavailable = ({ result }: ChargedPart): boolean => result === 'unavailable'

const partViolations = (
  { result, view }: ChargedPart,
  cost: ChargedCost,
  now: bigint,
): readonly Violation[] => {
  if (result === 'denied') return violationsOf(view, cost, now)
  if (result !== 'contended') return []
  const states = limitStates(view, now).filter(
    ({ limit }) => isEnforced(limit) && amountOf(cost, limit.meter) !== undefined,
  )
  return states.map((state) => {
    const { meter } = state.limit
    return { state, meter, requested: amountOf(cost, meter) ?? 0, retryAfterNs: CONTENDED_WAIT_NS }
  })
}

const denied = (views: readonly BucketView[], violations: readonly Violation[], now: bigint): Denied => ({
  allowed: false,
  degraded: false,
  limits: views.flatMap((view) => limitStates(view, now)),
  violations,
  reported: [],
  retryAfterNs: longestWait(violations.map(({ retryAfterNs }) => retryAfterNs)),
  unavailable: false,
})

/** Counts the use on all buckets whose charge has not counted it, once all of them have allowed. */
const countUse = (deps: DecideDependencies, parts: readonly ChargedPart[], cost: Cost): void => {
  for (const { isCounted, view } of parts) {
    if (isCounted) continue
    deps.tally.add(view.bucket.id, useOf(cost), { isUse: true, nowNs: deps.clock.monotonic() })
  }
}
