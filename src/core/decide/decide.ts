import { useOf } from '../charge/counters.ts'
import { StoreUnavailable } from '../model/errors.ts'
import { isEnforced } from '../model/limit.ts'
import { type Cost, withTotalTokens } from '../model/meter.ts'
import type { ApplicableBucket, Resolution } from '../resolve/resolution.ts'
import {
  type ChargeAllDependencies,
  chargeAll,
  type DecideCall,
  hasDenied,
  readViews,
} from './charge-buckets.ts'
import type { Decision, Denied, Violation } from './decision.ts'
import type { Fallback } from './fallback.ts'
import {
  type BucketView,
  type ChargedPart,
  exceededIn,
  limitStates,
  longestWait,
  neverFits,
  violationsOf,
} from './limit-state.ts'
import { createReservation, refundAll, settledReservation } from './reservation.ts'

export interface DecideDependencies extends ChargeAllDependencies {
  readonly fallback: Fallback
}

/** How long to wait where others were faster at every attempt. */
const CONTENDED_WAIT_NS = 50_000_000n

/**
 * Charges every bucket that applies, one write each; where one denies, gives the others back before it answers.
 * A cost that fits no state of some bucket is decided before any write.
 */
export const decide = async (deps: DecideDependencies, call: DecideCall): Promise<Decision> => {
  const { request, resolution, now } = call
  const cost = withTotalTokens(request.cost)
  if (request.dryRun || resolution.buckets.some((plan) => neverFits(plan, cost))) {
    return decideByReading(deps, resolution, cost, now)
  }
  const startedNs = deps.clock.monotonic()
  const parts = await chargeAll(deps, call, cost, startedNs)
  const availability = availabilityOf(parts)
  const reached = parts.filter((part) => !isUnavailable(part))
  const violations = await violationsIn(deps, parts, cost, now)
  if (violations !== undefined) {
    await refundAll(deps, parts, startedNs)
    const current = reached.map(({ view }) => ({
      ...view,
      item: deps.writer.cached(view.bucket.id) ?? view.item,
    }))
    return {
      ...denied(current, violations, now),
      reported: reportedIn(parts),
      ...availability,
      unavailable: violations.length === 0,
    }
  }
  const limits = reached.flatMap(({ view }) => limitStates(view, now))
  const reservation = request.settles ? createReservation(deps, parts, cost, startedNs) : settledReservation
  if (!request.settles) countUse(deps, parts, cost)
  return { allowed: true, ...availability, limits, reported: reportedIn(parts), reservation }
}

const availabilityOf = (parts: readonly ChargedPart[]): Pick<Decision, 'degraded' | 'unavailableCause'> => {
  const unavailable = parts.find(isUnavailable)
  if (unavailable === undefined) return { degraded: false }
  const { unavailableCause } = unavailable
  return { degraded: true, ...(unavailableCause !== undefined && { unavailableCause }) }
}

const reportedIn = (parts: readonly ChargedPart[]): readonly Violation[] =>
  parts.flatMap(({ reported }) => reported)

/** What denies; nothing is asked of the limits in memory where a stored one denies. undefined: nothing does. */
const violationsIn = async (
  deps: DecideDependencies,
  parts: readonly ChargedPart[],
  cost: Cost,
  now: bigint,
): Promise<readonly Violation[] | undefined> => {
  if (parts.some(({ result }) => result === 'contended')) deps.metrics.count('decisions_contended')
  if (parts.some(hasDenied)) return parts.flatMap((part) => partViolations(part, cost, now))
  const away = parts.filter(isUnavailable).map(({ view }) => view.bucket)
  if (away.length === 0) return undefined
  const { isDenied, violations } = await deps.fallback.decide(away, cost, now)
  return isDenied ? violations : undefined
}

/** Decides from what is stored, and charges nothing. What fits no state is denied also where the store is away. */
export const decideByReading = async (
  deps: Pick<DecideDependencies, 'writer' | 'heldAt'>,
  resolution: Resolution,
  cost: Cost,
  now: bigint,
): Promise<Decision> => {
  const neverFitting = resolution.buckets.filter((plan) => neverFits(plan, cost))
  const views = await readViews(deps, resolution).catch((error: unknown) => {
    if (neverFitting.length === 0 || !(error instanceof StoreUnavailable)) throw error
    return error
  })
  if (views instanceof StoreUnavailable) return deniedUnread(neverFitting, cost, now, views)
  const violations = views.flatMap((view) => violationsOf(view, cost, now))
  const reported = views.flatMap((view) => exceededIn(view, cost, now))
  if (violations.length > 0) return { ...denied(views, violations, now), reported }
  const limits = views.flatMap((view) => limitStates(view, now))
  return { allowed: true, degraded: false, limits, reported, reservation: settledReservation }
}

/** A denial that needs no state: the cost is larger than a limit. Nothing is known of what is left of any. */
const deniedUnread = (
  plans: readonly ApplicableBucket[],
  cost: Cost,
  now: bigint,
  { reason }: StoreUnavailable,
): Denied => {
  const views = plans.map((plan) => ({ bucket: plan, limits: plan.limits, item: undefined }))
  const violations = views.flatMap((view) => violationsOf(view, cost, now))
  return { ...denied([], violations, now), degraded: true, unavailableCause: reason }
}

const isUnavailable = ({ result }: ChargedPart): boolean => result === 'unavailable'

const partViolations = ({ result, view }: ChargedPart, cost: Cost, now: bigint): readonly Violation[] => {
  if (result === 'denied') return violationsOf(view, cost, now)
  if (result !== 'contended') return []
  const states = limitStates(view, now).filter(
    ({ limit }) => isEnforced(limit) && cost[limit.meter] !== undefined,
  )
  return states.map((state) => {
    const { meter } = state.limit
    return { state, meter, requested: cost[meter] ?? 0, retryAfterNs: CONTENDED_WAIT_NS }
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

/** Where several buckets were charged, use is counted once it is known that all of them allow. */
const countUse = (deps: DecideDependencies, parts: readonly ChargedPart[], cost: Cost): void => {
  for (const { isCounted, view } of parts) {
    if (isCounted) continue
    deps.tally.add(view.bucket.id, useOf(cost), { isUse: true, nowNs: deps.clock.monotonic() })
  }
}
