import { type BucketId, bucketKey } from '../bucket/bucket-store.ts'
import { limitChargesOf } from '../bucket/charge-plan.ts'
import type { EffectiveLimit } from '../bucket/effective-limit.ts'
import { receiptFor, receiptOf, uncharged } from '../bucket/receipt.ts'
import type { Charger } from '../charge/batch.ts'
import type { BucketWriter } from '../charge/bucket-writer.ts'
import { type Counts, useOf } from '../charge/counters.ts'
import { StoreUnavailable } from '../model/errors.ts'
import { isEnforced } from '../model/limit.ts'
import type { Cost } from '../model/meter.ts'
import type { Clock } from '../ports/platform.ts'
import type { ApplicableBucket, Resolution } from '../resolve/resolution.ts'
import type { DecisionRequest } from './decision.ts'
import { type BucketView, type ChargedPart, exceededIn, violationOf, violationsOf } from './limit-state.ts'
import { refundAll, type SettlingDependencies } from './reservation.ts'

export interface ChargeAllDependencies extends ChargePlanDependencies, SettlingDependencies {}

export interface DecideCall {
  readonly request: Pick<DecisionRequest, 'cost' | 'settles' | 'dryRun'> & {
    /** True: a denial names every limit that would deny, also of buckets that were not asked. */
    readonly namesAll?: boolean
  }
  /** Which buckets the request meets; perhaps none. */
  readonly resolution: Resolution
  readonly now: bigint
  /** The same request resolved anew; asked where a bucket knows a later change. */
  reread(): Promise<Resolution>
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
  const { buckets: plans } = call.resolution
  const views = plans.map((plan) => cachedView(deps, plan))
  const doubtful = views.filter((view) => violationsOf(view, cost, call.now).length > 0)
  if (doubtful.length === 0 || views.some(({ item }) => item === undefined)) {
    return chargeSharedFirst(deps, call, cost, startedNs)
  }
  const first = await chargeTogether(deps, call, plansOf(doubtful), cost, [], startedNs)
  const rest = views.filter((view) => !doubtful.includes(view))
  const isDecided = first.some(hasDenied) || rest.length === 0
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
  const { buckets: plans } = call.resolution
  const last = lastOf(deps, plans, cost)
  if (last === undefined) return chargeTogether(deps, call, plans, cost, [], startedNs)
  const before = plans.filter((plan) => plan !== last)
  const first = await chargeTogether(deps, call, before, cost, [], startedNs)
  const allAllow = first.every(({ result }) => result === 'charged' || result === 'untouched')
  const others = first.some(hasDenied)
    ? await leaveAlone(deps, call, [cachedView(deps, last)], cost)
    : await chargeTogether(deps, call, [last], cost, first, startedNs, allAllow)
  return inOrderOf(plans, [...first, ...others])
}

/** The one bucket that has to be written for this request; undefined where there are more of them, or none. */
const lastOf = (
  { charger }: ChargeAllDependencies,
  plans: readonly ApplicableBucket[],
  cost: Cost,
): ApplicableBucket | undefined => {
  const isAsked = ({ limits }: ApplicableBucket): boolean => limitChargesOf(limits, cost).length > 0
  const unpaid = plans.filter(
    (plan) => isAsked(plan) && !charger.isPaidFor({ bucket: plan.id, limits: plan.limits, cost }),
  )
  const own =
    unpaid.length > 1
      ? unpaid.filter((plan) => !charger.isShared({ bucket: plan.id, limits: plan.limits, cost }))
      : unpaid
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
    ? await readViews(deps, { buckets: plansOf(views) }).catch(() => views)
    : views
  return current.map((view) => {
    const isOver = violationsOf(view, cost, now).length > 0
    return { result: isOver ? 'denied' : 'untouched', view, reported: [] }
  })
}

const plansOf = (views: readonly BucketView[]): readonly ApplicableBucket[] =>
  views.map(({ bucket: plan }) => plan)

/** Answers list the caller's own limits first, then its parents'. */
const inOrderOf = (
  plans: readonly ApplicableBucket[],
  parts: readonly ChargedPart[],
): readonly ChargedPart[] => plans.flatMap((plan) => parts.filter((part) => part.view.bucket === plan))

/** Where one bucket fails for another reason than its store, all others get theirs back before the error is thrown. */
const chargeTogether = async (
  deps: ChargeAllDependencies,
  call: DecideCall,
  plans: readonly ApplicableBucket[],
  cost: Cost,
  charged: readonly ChargedPart[],
  startedNs: bigint,
  allOthersAllow = call.resolution.buckets.length === 1,
): Promise<readonly ChargedPart[]> => {
  const isCounted = allOthersAllow && !call.request.settles
  const counts = isCounted ? useOf(cost) : {}
  const outcomes = await Promise.allSettled(plans.map((plan) => chargePart(deps, call, plan, cost, counts)))
  const parts = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
  const failed = outcomes.find((outcome) => outcome.status === 'rejected')
  if (failed === undefined)
    return parts.map((part) => ({ ...part, isCounted: isCounted && part.result === 'charged' }))
  await refundAll(deps, [...charged, ...parts], startedNs)
  throw failed.reason
}

/** A bucket as this node last saw it. */
export const cachedView = (
  { writer }: Pick<ChargeAllDependencies, 'writer'>,
  plan: ApplicableBucket,
): BucketView => ({
  bucket: plan,
  limits: plan.limits,
  item: writer.cached(plan.id),
})

/** Every bucket that applies, as it is stored now. */
export const readViews = (
  { writer, heldAt }: Pick<ChargeAllDependencies, 'writer' | 'heldAt'>,
  { buckets: plans }: Resolution,
): Promise<readonly BucketView[]> =>
  Promise.all(
    plans.map(async (plan) => {
      const item = await writer.read(plan.id)
      return { bucket: plan, limits: plan.limits, item, held: heldAt(plan.id) }
    }),
  )

/** Whether the bucket said no; one that could not be reached has not. */
export const hasDenied = ({ result }: ChargedPart): boolean => result === 'denied' || result === 'contended'

const chargePart = (
  deps: ChargeAllDependencies,
  call: DecideCall,
  plan: ApplicableBucket,
  cost: Cost,
  counts: Counts,
) => {
  const reread = async (): Promise<ApplicableBucket> => {
    const { buckets: plans } = await call.reread()
    const key = bucketKey(plan.id)
    return plans.find(({ id: bucket }) => bucketKey(bucket) === key) ?? plan
  }
  return chargePlan(deps, { plan, cost, now: call.now, counts, reread })
}

export interface ChargeCall {
  readonly plan: ApplicableBucket
  readonly cost: Cost
  readonly now: bigint
  /** Counters to write along with the charge. */
  readonly counts: Counts
  reread(): Promise<ApplicableBucket>
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
  if (limitChargesOf(plan.limits, cost).length === 0) return untouched(deps, call)
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
  view: { bucket: plan, limits: plan.limits, item: undefined },
})

const untouched = ({ writer }: ChargePlanDependencies, { plan, cost, now }: ChargeCall): ChargedPart => {
  const view = { bucket: plan, limits: plan.limits, item: writer.cached(plan.id) }
  const receipt = uncharged({ bucket: plan.id, limits: plan.limits }, cost, now)
  return { result: 'untouched', reported: [], view, receipt }
}

const chargeOnce = async (
  deps: ChargePlanDependencies,
  call: ChargeCall,
  isRepeated: boolean,
): Promise<ChargedPart> => {
  const { plan, cost, now, counts } = call
  const reread = async () => (await call.reread()).limits
  const order = { bucket: plan.id, limits: plan.limits, cost, counts, isRepeated, reread }
  const { result, item, limits, exceeded: over, chargedAt, lease, held } = await deps.charger.charge(order)
  const view: BucketView = { bucket: plan, limits, item, held, ...(!lease && { at: chargedAt }) }
  if (result !== 'charged') {
    // limits that only warn deny nobody, also where others were faster each time
    const isBound = limitChargesOf(limits, cost).some(({ effective }) => isEnforced(effective.limit))
    return { result: isBound ? result : 'untouched', view, reported: exceededIn(view, cost, now) }
  }
  const isOver = ({ limit }: EffectiveLimit): boolean => over.includes(limit.name)
  const reported = limits.filter(isOver).map((effective) => violationOf(view, effective, cost, now))
  if (lease) return { result, view, reported, receipt: receiptFor(lease.receipt, cost), lease }
  const { id: bucket } = plan
  const charged = limits.filter((effective) => !isOver(effective))
  return { result, view, reported, receipt: receiptOf({ bucket, limits: charged, item }, cost, chargedAt) }
}
