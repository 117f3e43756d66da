import { bucketKey } from '../bucket/bucket-id.ts'
import { demandsOf } from '../bucket/plan-charge.ts'
import { type Counts, useOf } from '../counting/tally.ts'
import type { Cost } from '../limit/meter.ts'
import type { BucketPlan, Plans } from '../resolving/bucket-plan.ts'
import { type ChargedPart, type ChargePlanDependencies, chargePlan } from './charge-plan.ts'
import type { DecisionRequest } from './decision.ts'
import { type BucketView, violationsOf } from './limit-states.ts'
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
