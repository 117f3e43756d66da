import { fieldsOf } from '../algorithms/algorithm.ts'
import { type LimitInForce, numberIn, textPath, versionPath } from '../bucket/limit-in-force.ts'
import { demandsOf } from '../bucket/plan-charge.ts'
import type { LimitReceipt } from '../bucket/plan-settlement.ts'
import type { BucketWriter } from '../charging/bucket-writer.ts'
import { type ChargeOutcome, chargeBucket } from '../charging/charge-bucket.ts'
import type { Receipt } from '../charging/settle-bucket.ts'
import { type Counts, countActions, summed, type Tally } from '../counting/tally.ts'
import { StoreUnavailable } from '../errors.ts'
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
  readonly tally: Tally
  readonly clock: Clock
  readonly deadlineNs: bigint
  pause(): Promise<void>
}

/**
 * Charges one bucket of a decision. A charge whose answer was lost is tried once more where the deadline leaves time; still
 * unknown, it counts as charged, is never given back, and the part is `unavailable`. Limits that the cost does not touch cost
 * no write.
 */
export const chargePlan = async (deps: ChargePlanDependencies, call: ChargeCall): Promise<ChargedPart> => {
  const { plan, cost } = call
  if (demandsOf(plan.limits, cost).length === 0) return untouched(deps, call)
  const startedNs = deps.clock.monotonic()
  try {
    return await chargeOnce(deps, call)
  } catch (error) {
    if (!(error instanceof StoreUnavailable)) throw error
    const isTimeLeft = deps.clock.monotonic() - startedNs < deps.deadlineNs / 2n
    return isTimeLeft ? chargeAgain(deps, call) : unavailable(call)
  }
}

const chargeAgain = async (deps: ChargePlanDependencies, call: ChargeCall): Promise<ChargedPart> => {
  await deps.pause()
  try {
    return await chargeOnce(deps, call)
  } catch (error) {
    if (error instanceof StoreUnavailable) return unavailable(call)
    throw error
  }
}

const unavailable = ({ plan }: ChargeCall): ChargedPart => ({
  result: 'unavailable',
  reported: [],
  view: { plan, limits: plan.limits, item: undefined },
})

/** Nothing is charged, but what is used in the end may be of a meter that a limit counts. */
const untouched = ({ writer }: ChargePlanDependencies, { plan, cost, now }: ChargeCall): ChargedPart => {
  const view = { plan, limits: plan.limits, item: undefined }
  const receipt: Receipt = { ...receiptOf(view, cost, now), born: undefined }
  return { result: 'untouched', reported: [], view: { ...view, item: writer.lastSeen(plan.bucket) }, receipt }
}

const chargeOnce = async (deps: ChargePlanDependencies, call: ChargeCall): Promise<ChargedPart> => {
  const { plan, cost, now } = call
  const pending = deps.tally.take(plan.bucket)
  const counters = countActions(summed(pending?.counts ?? {}, call.counts))
  const reread = async () => (await call.reread()).limits
  const order = { bucket: plan.bucket, limits: plan.limits, cost, now, counters, reread }
  try {
    const { result, item, limits, over } = await chargeBucket(deps.writer, order)
    if (pending && result !== 'charged') deps.tally.putBack(pending)
    const view: BucketView = { plan, limits, item }
    if (result !== 'charged') return { result, view, reported: excessesOf(view, cost, now) }
    const isOver = ({ limit }: LimitInForce): boolean => over.includes(limit.name)
    const reported = limits.filter(isOver).map((inForce) => violationOf(view, inForce, cost, now))
    const charged = { ...view, limits: limits.filter((inForce) => !isOver(inForce)) }
    return { result, view, reported, receipt: receiptOf(charged, cost, now) }
  } catch (error) {
    const isSurelyUnwritten = error instanceof StoreUnavailable && !error.mayHaveApplied
    if (pending && isSurelyUnwritten) deps.tally.putBack(pending)
    throw error
  }
}

/** What a charge that left the bucket as in `view` must remember. */
export const receiptOf = ({ plan, limits, item = {} }: BucketView, cost: Cost, now: bigint): Receipt => ({
  bucket: plan.bucket,
  born: numberIn(item, 'born', now),
  chargedAt: now,
  limits: limits.map(({ limit, algorithm, version }): LimitReceipt => {
    const text = item[textPath(limit.name)]
    return {
      limitName: limit.name,
      meter: limit.meter,
      text: typeof text === 'string' ? text : algorithm.text,
      version: numberIn(item, versionPath(limit.name), version),
      charged: cost[limit.meter] ?? 0,
      memory: algorithm.remember(fieldsOf(item, limit.name), now),
      full: limit.refund === 'full',
      soft: !isEnforced(limit),
    }
  }),
})
