import { type BucketId, bucketKey } from '../bucket/bucket-store.ts'
import { demandsOf } from '../bucket/charge-plan.ts'
import type { LimitInForce } from '../bucket/limit-in-force.ts'
import { receiptFor, receiptOf, uncharged } from '../bucket/receipt.ts'
import type { Charger } from '../charge/batch.ts'
import type { BucketWriter } from '../charge/bucket-writer.ts'
import { type Counts, useOf } from '../charge/counters.ts'
import { StoreUnavailable } from '../model/errors.ts'
import { isEnforced } from '../model/limit.ts'
import type { Cost } from '../model/meter.ts'
import type { Clock } from '../ports/platform.ts'
import type { BucketPlan, Plans } from '../resolve/bucket-plan.ts'
import type { DecisionRequest } from './decision.ts'
import { type BucketView, type ChargedPart, excessesOf, violationOf, violationsOf } from './limit-state.ts'
import { giveBackAll, type SettlingDependencies } from './reservation.ts'

export interface ChargeAllDependencies extends ChargePlanDependencies, SettlingDependencies {}

export interface DecideCall {
  readonly request: Pick<DecisionRequest, 'cost' | 'settles' | 'dryRun'> & {
    /** True: a denial names every limit that would deny, also of buckets that were not asked. */
    readonly namesAll?: boolean
  }
  /** Which buckets the request meets; perhaps none. */
  readonly resolution: Plans
  readonly now: bigint
  /** The same request resolved anew; asked where a bucket knows a later change. */
  reread(): Promise<Plans>
}

/**
 * Charges all buckets at once, unless what this node last saw says that some will deny: those are asked first, and the
 * others only if they do not. So a caller who is over his own limit takes nothing from his parents for a moment, and costs
 * one write. A wrong guess costs time and nothing else.
 */
export const chargeAll = async (
  deps: ChargeAllDependencies,
  call: DecideCall,
  cost: Cost,
  startedNs: bigint,
): Promise<readonly ChargedPart[]> => {
  const { plans } = call.resolution
  const views = plans.map((plan) => lastView(deps, plan))
  const doubtful = views.filter((view) => violationsOf(view, cost, call.now).length > 0)
  if (doubtful.length === 0 || views.some(({ item }) => item === undefined)) {
    return chargeSharedFirst(deps, call, cost, startedNs)
  }
  const first = await chargeTogether(deps, call, plansOf(doubtful), cost, [], startedNs)
  const rest = views.filter((view) => !doubtful.includes(view))
  const isDecided = first.some(isRefused) || rest.length === 0
  const others = isDecided
    ? await leaveAlone(deps, call, rest, cost)
    : await chargeTogether(deps, call, plansOf(rest), cost, first, startedNs)
  return inOrderOf(plans, [...first, ...others])
}

/**
 * One bucket is written last, where leases pay for all others, or soon will as many share them: it is known by then that all
 * others allow, and so the use goes along with its charge. A key that is seldom asked for, below a busy parent, takes one
 * write and not two.
 */
const chargeSharedFirst = async (
  deps: ChargeAllDependencies,
  call: DecideCall,
  cost: Cost,
  startedNs: bigint,
): Promise<readonly ChargedPart[]> => {
  const { plans } = call.resolution
  const last = lastOf(deps, plans, cost)
  if (last === undefined) return chargeTogether(deps, call, plans, cost, [], startedNs)
  const before = plans.filter((plan) => plan !== last)
  const first = await chargeTogether(deps, call, before, cost, [], startedNs)
  const allAllow = first.every(({ result }) => result === 'charged' || result === 'untouched')
  const others = first.some(isRefused)
    ? await leaveAlone(deps, call, [lastView(deps, last)], cost)
    : await chargeTogether(deps, call, [last], cost, first, startedNs, allAllow)
  return inOrderOf(plans, [...first, ...others])
}

/** The one bucket that has to be written for this request; undefined where there are more of them, or none. */
const lastOf = (
  { charger }: ChargeAllDependencies,
  plans: readonly BucketPlan[],
  cost: Cost,
): BucketPlan | undefined => {
  const isAsked = ({ limits }: BucketPlan): boolean => demandsOf(limits, cost).length > 0
  const unpaid = plans.filter((plan) => isAsked(plan) && !charger.isPaidFor({ ...plan, cost }))
  const own = unpaid.length > 1 ? unpaid.filter((plan) => !charger.isShared({ ...plan, cost })) : unpaid
  return own.length === 1 ? own[0] : undefined
}

/** Charges nothing. Where all that denies is to be named, these are read; what cannot be read goes unnamed. */
const leaveAlone = async (
  deps: ChargeAllDependencies,
  { request, now }: DecideCall,
  views: readonly BucketView[],
  cost: Cost,
): Promise<readonly ChargedPart[]> => {
  const current = request.namesAll
    ? await readViews(deps, { plans: plansOf(views) }).catch(() => views)
    : views
  return current.map((view) => {
    const isOver = violationsOf(view, cost, now).length > 0
    return { result: isOver ? 'denied' : 'untouched', view, reported: [] }
  })
}

const plansOf = (views: readonly BucketView[]): readonly BucketPlan[] => views.map(({ plan }) => plan)

/** Answers list the caller's own limits first, then its parents'. */
const inOrderOf = (plans: readonly BucketPlan[], parts: readonly ChargedPart[]): readonly ChargedPart[] =>
  plans.flatMap((plan) => parts.filter((part) => part.view.plan === plan))

/** Where one bucket fails for another reason than its store, all others get theirs back before the error is thrown. */
const chargeTogether = async (
  deps: ChargeAllDependencies,
  call: DecideCall,
  plans: readonly BucketPlan[],
  cost: Cost,
  charged: readonly ChargedPart[],
  startedNs: bigint,
  allOthersAllow = call.resolution.plans.length === 1,
): Promise<readonly ChargedPart[]> => {
  const isCounted = allOthersAllow && !call.request.settles
  const counts = isCounted ? useOf(cost) : {}
  const outcomes = await Promise.allSettled(plans.map((plan) => chargePart(deps, call, plan, cost, counts)))
  const parts = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
  const failed = outcomes.find((outcome) => outcome.status === 'rejected')
  if (failed === undefined)
    return parts.map((part) => ({ ...part, isCounted: isCounted && part.result === 'charged' }))
  await giveBackAll(deps, [...charged, ...parts], startedNs)
  throw failed.reason
}

/** A bucket as this node last saw it. */
export const lastView = (
  { writer }: Pick<ChargeAllDependencies, 'writer'>,
  plan: BucketPlan,
): BucketView => ({
  plan,
  limits: plan.limits,
  item: writer.lastSeen(plan.bucket),
})

/** Every bucket that applies, as it is stored now. */
export const readViews = (
  { writer, heldAt }: Pick<ChargeAllDependencies, 'writer' | 'heldAt'>,
  { plans }: Plans,
): Promise<readonly BucketView[]> =>
  Promise.all(
    plans.map(async (plan) => {
      const item = await writer.read(plan.bucket)
      return { plan, limits: plan.limits, item, held: heldAt(plan.bucket) }
    }),
  )

/** Whether the bucket said no; one that could not be reached has not. */
export const isRefused = ({ result }: ChargedPart): boolean => result === 'denied' || result === 'contended'

const chargePart = (
  deps: ChargeAllDependencies,
  call: DecideCall,
  plan: BucketPlan,
  cost: Cost,
  counts: Counts,
) => {
  const reread = async (): Promise<BucketPlan> => {
    const { plans } = await call.reread()
    const key = bucketKey(plan.bucket)
    return plans.find(({ bucket }) => bucketKey(bucket) === key) ?? plan
  }
  return chargePlan(deps, { plan, cost, now: call.now, counts, reread })
}

export interface ChargeCall {
  readonly plan: BucketPlan
  readonly cost: Cost
  readonly now: bigint
  /** Counters to write along with the charge. */
  readonly counts: Counts
  reread(): Promise<BucketPlan>
}

export interface ChargePlanDependencies {
  readonly writer: BucketWriter
  readonly charger: Charger
  readonly clock: Clock
  readonly deadlineNs: bigint
  /** What this process holds of a bucket in leases, per meter. */
  heldAt(bucket: BucketId): Cost
  pause(tries: number): Promise<void>
}

/** Of a charge that is throttled: each is surely not applied, and comes after a longer pause. */
const THROTTLED_TRIES = 4

/**
 * Charges one bucket of a decision. A charge whose answer was lost is tried once more where the deadline leaves time, one
 * that is throttled a few times; still unknown, it counts as charged, is never given back, and the part is `unavailable`.
 * Limits that the cost does not touch cost no write.
 */
export const chargePlan = async (deps: ChargePlanDependencies, call: ChargeCall): Promise<ChargedPart> => {
  const { plan, cost } = call
  if (demandsOf(plan.limits, cost).length === 0) return untouched(deps, call)
  return chargeWithin(deps, call, deps.clock.monotonic() + deps.deadlineNs / 2n)
}

const chargeWithin = async (
  deps: ChargePlanDependencies,
  call: ChargeCall,
  untilNs: bigint,
  tries = 1,
): Promise<ChargedPart> => {
  try {
    return await chargeOnce(deps, call, tries > 1)
  } catch (error) {
    if (!(error instanceof StoreUnavailable)) throw error
    const isTimeLeft = tries < mostTriesFor(error) && deps.clock.monotonic() < untilNs
    if (!isTimeLeft) return unavailable(call, error)
  }
  await deps.pause(tries)
  return chargeWithin(deps, call, untilNs, tries + 1)
}

const mostTriesFor = ({ isThrottled }: StoreUnavailable): number => (isThrottled ? THROTTLED_TRIES : 2)

const unavailable = ({ plan }: ChargeCall, { reason }: StoreUnavailable): ChargedPart => ({
  result: 'unavailable',
  unavailableCause: reason,
  reported: [],
  view: { plan, limits: plan.limits, item: undefined },
})

const untouched = ({ writer }: ChargePlanDependencies, { plan, cost, now }: ChargeCall): ChargedPart => {
  const view = { plan, limits: plan.limits, item: writer.lastSeen(plan.bucket) }
  return { result: 'untouched', reported: [], view, receipt: uncharged(plan, cost, now) }
}

const chargeOnce = async (
  deps: ChargePlanDependencies,
  call: ChargeCall,
  isRepeated: boolean,
): Promise<ChargedPart> => {
  const { plan, cost, now, counts } = call
  const reread = async () => (await call.reread()).limits
  const order = { bucket: plan.bucket, limits: plan.limits, cost, counts, isRepeated, reread }
  const { result, item, limits, over, chargedAt, lease, held } = await deps.charger.charge(order)
  const view: BucketView = { plan, limits, item, held, ...(!lease && { at: chargedAt }) }
  if (result !== 'charged') {
    // limits that only warn deny nobody, also where others were faster each time
    const isBound = demandsOf(limits, cost).some(({ inForce }) => isEnforced(inForce.limit))
    return { result: isBound ? result : 'untouched', view, reported: excessesOf(view, cost, now) }
  }
  const isOver = ({ limit }: LimitInForce): boolean => over.includes(limit.name)
  const reported = limits.filter(isOver).map((inForce) => violationOf(view, inForce, cost, now))
  if (lease) return { result, view, reported, receipt: receiptFor(lease.receipt, cost), lease }
  const { bucket } = plan
  const charged = limits.filter((inForce) => !isOver(inForce))
  return { result, view, reported, receipt: receiptOf({ bucket, limits: charged, item }, cost, chargedAt) }
}
