import { demandsOf } from '../bucket/plan-charge.ts'
import { type Counts, useOf } from '../counting/tally.ts'
import { type Cost, withTotalTokens } from '../limit/meter.ts'
import type { BucketPlan, Resolution } from '../resolving/resolve-buckets.ts'
import { type ChargedPart, type ChargePlanDependencies, chargePlan } from './charge-plan.ts'
import type { Decision, DecisionRequest, Denied, Violation } from './decision.ts'
import { type BucketView, limitStates, longestWait, violationsOf } from './limit-states.ts'
import {
  createReservation,
  giveBackAll,
  type SettlingDependencies,
  settledReservation,
} from './reservation.ts'
import type { Fallback } from './unavailable.ts'

export interface DecideDependencies extends ChargePlanDependencies, SettlingDependencies {
  readonly fallback: Fallback
}

export interface DecideCall {
  readonly request: DecisionRequest
  readonly resolution: Resolution
  readonly now: bigint
  /** The same request resolved anew; asked where a bucket knows a later change. */
  reread(): Promise<Resolution>
}

/** How long to wait where others were faster at every attempt. */
const CONTENDED_WAIT_NS = 50_000_000n

/**
 * Charges every bucket that applies, in parallel, one write each; where one denies, gives the others back before it answers.
 * A cost that fits no state of some bucket is decided before any write.
 */
export const decide = async (deps: DecideDependencies, call: DecideCall): Promise<Decision> => {
  const { request, resolution, now } = call
  const cost = withTotalTokens(request.cost)
  if (request.dryRun || resolution.plans.some((plan) => neverFits(plan, cost))) {
    return decideByReading(deps, resolution, cost, now)
  }
  const startedNs = deps.clock.monotonic()
  const isAlone = resolution.plans.length === 1
  const counts = isAlone && !request.settles ? useOf(cost) : {}
  const parts = await Promise.all(resolution.plans.map((plan) => chargePart(deps, call, plan, cost, counts)))
  const views = parts.map((part) => part.view)
  const fallback = await deps.fallback.decide(
    parts.filter(isUnavailable).map(({ view }) => view.plan),
    cost,
    now,
  )
  const violations = [...parts.flatMap((part) => partViolations(part, cost, now)), ...fallback.violations]
  if (parts.some(isRefused) || violations.length > 0 || fallback.isDenied) {
    await giveBackAll(deps, parts, startedNs)
    const current = views.map((view) => ({
      ...view,
      item: deps.writer.lastSeen(view.plan.bucket) ?? view.item,
    }))
    const isUnavailable = violations.length === 0
    return { ...denied(current, violations, now), degraded: fallback.isDegraded, unavailable: isUnavailable }
  }
  const limits = views.flatMap((view) => limitStates(view, now))
  const reservation = request.settles ? createReservation(deps, parts, cost) : settledReservation
  if (!request.settles) countUse(deps, parts, cost, isAlone)
  return { allowed: true, degraded: fallback.isDegraded, limits, reservation }
}

/** Decides from what is stored, and charges nothing. */
export const decideByReading = async (
  deps: Pick<DecideDependencies, 'writer'>,
  resolution: Resolution,
  cost: Cost,
  now: bigint,
): Promise<Decision> => {
  const views = await readViews(deps, resolution)
  const violations = views.flatMap((view) => violationsOf(view, cost, now))
  if (violations.length > 0) return denied(views, violations, now)
  const limits = views.flatMap((view) => limitStates(view, now))
  return { allowed: true, degraded: false, limits, reservation: settledReservation }
}

/** Every bucket that applies, as it is stored now. */
export const readViews = (
  { writer }: Pick<DecideDependencies, 'writer'>,
  { plans }: Pick<Resolution, 'plans'>,
): Promise<readonly BucketView[]> =>
  Promise.all(
    plans.map(async (plan) => ({ plan, limits: plan.limits, item: await writer.read(plan.bucket) })),
  )

const neverFits = (plan: BucketPlan, cost: Cost): boolean =>
  demandsOf(plan.limits, cost).some(({ inForce, amount }) => amount > inForce.algorithm.capacity)

const isUnavailable = ({ result }: ChargedPart): boolean => result === 'unavailable'

const isRefused = ({ result }: ChargedPart): boolean => result === 'denied' || result === 'contended'

const chargePart = (
  deps: DecideDependencies,
  call: DecideCall,
  plan: BucketPlan,
  cost: Cost,
  counts: Counts,
) => {
  const reread = async (): Promise<BucketPlan> => {
    const { plans } = await call.reread()
    return (
      plans.find(({ entityId, resource }) => entityId === plan.entityId && resource === plan.resource) ?? plan
    )
  }
  return chargePlan(deps, { plan, cost, now: call.now, counts, reread })
}

const partViolations = ({ result, view }: ChargedPart, cost: Cost, now: bigint): readonly Violation[] => {
  if (result === 'denied') return violationsOf(view, cost, now)
  if (result !== 'contended') return []
  const states = limitStates(view, now).filter(({ limit }) => cost[limit.meter] !== undefined)
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
  retryAfterNs: longestWait(violations.map(({ retryAfterNs }) => retryAfterNs)),
  unavailable: false,
})

/** Where several buckets were charged, use is counted once it is known that all of them allow. */
const countUse = (
  deps: DecideDependencies,
  parts: readonly ChargedPart[],
  cost: Cost,
  isAlone: boolean,
): void => {
  for (const { result, view } of parts) {
    if (isAlone && result === 'charged') continue
    deps.tally.add(view.plan.bucket, useOf(cost), { isUse: true, nowNs: deps.clock.monotonic() })
  }
}
