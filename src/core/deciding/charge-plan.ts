import type { BucketId } from '../bucket/bucket-id.ts'
import type { LimitInForce } from '../bucket/limit-in-force.ts'
import { demandsOf } from '../bucket/plan-charge.ts'
import type { BucketWriter } from '../charging/bucket-writer.ts'
import type { ChargeOutcome } from '../charging/charge-bucket.ts'
import { receiptFor, receiptOf, uncharged } from '../charging/receipt-of.ts'
import type { Receipt } from '../charging/settle-bucket.ts'
import type { Charger } from '../charging/shared-charges.ts'
import type { Counts } from '../counting/tally.ts'
import { StoreUnavailable } from '../errors.ts'
import type { Lease } from '../leasing/lease.ts'
import { isEnforced } from '../limit/limit.ts'
import type { Cost } from '../limit/meter.ts'
import type { Clock } from '../ports/clock.ts'
import type { BucketPlan } from '../resolving/bucket-plan.ts'
import type { Violation } from './decision.ts'
import { type BucketView, excessesOf, violationOf } from './limit-states.ts'

/** How one bucket of a decision answered. */
export interface ChargedPart {
  readonly result: ChargeOutcome['result'] | 'untouched' | 'unavailable'
  readonly view: BucketView
  /** Limits that only warn, and that the request exceeds. */
  readonly reported: readonly Violation[]
  /** What a settlement must know; none where it is not known what was charged. */
  readonly receipt?: Receipt
  /** The lease that it was spent from. */
  readonly lease?: Lease
  /** Why the bucket could not be reached, where the result is `unavailable`. */
  readonly unavailableCause?: string
  /** Whether the use was counted in the same write. */
  readonly isCounted?: boolean
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
