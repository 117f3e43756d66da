import { limitChargesOf } from '../bucket/charge-plan.ts'
import { areHeld, type EffectiveLimit } from '../bucket/effective-limit.ts'
import { receiptFor, receiptOf, uncharged } from '../bucket/receipt.ts'
import type { BatchDependencies, Batches } from '../charge/batches.ts'
import { type Counts, useOf } from '../charge/counters.ts'
import { refundAll } from '../charge/settle.ts'
import type { ChargeOutcome, ChargeRequest } from '../charge/write-charge.ts'
import { StoreUnavailable } from '../model/errors.ts'
import { isEnforced } from '../model/limit.ts'
import type { ChargedCost } from '../model/meter.ts'
import type { ApplicableBucket, Resolution } from '../resolve/resolution.ts'
import { chargingOrder } from './charging-order.ts'
import {
  type BucketView,
  type ChargedPart,
  cachedView,
  exceededIn,
  readViews,
  violationOf,
  violationsOf,
} from './limit-state.ts'

export interface ChargingDependencies extends BatchDependencies {
  readonly batches: Batches
  /** The store's deadline, ns. A charge is tried again only during the first half of it. */
  readonly deadlineNs: bigint
  /** Waits a short random time before a charge is tried again; longer after more `tries`. */
  pause(tries: number): Promise<void>
}

/** One attempt to charge a request on all buckets of a resolution. */
export interface ChargeAttempt {
  readonly cost: ChargedCost
  readonly resolution: Resolution
  /** As in `ChargeRequest`. */
  readonly isLatest: boolean
  /** Whether the use is counted when the reservation is settled. If not, the charge counts it if possible. */
  readonly settles: boolean
  /** Whether a denial names every limit that would deny, also of buckets that were not charged. */
  readonly namesAll: boolean
  /** ns since the epoch */
  readonly now: bigint
  /** The monotonic clock at the start. */
  readonly startedNs: bigint
}

/**
 * Charges all buckets, stage by stage; after a denial, later stages are not charged. The parts are in the order of the
 * resolution. If a charge throws, all others are refunded before the error is thrown.
 */
export const chargeBuckets = async (
  deps: ChargingDependencies,
  attempt: ChargeAttempt,
): Promise<readonly ChargedPart[]> => {
  const { cost, resolution, settles } = attempt
  const { buckets } = resolution
  const stages = chargingOrder(deps, buckets, cost, attempt.now)
  let parts: readonly ChargedPart[] = []
  for (const stage of stages) {
    if (parts.some(isStopped)) break
    // when the last bucket alone remains, all others have allowed
    const isCounted =
      !settles && stage.length === 1 && parts.length === buckets.length - 1 && parts.every(allows)
    const counts = isCounted ? useOf(cost) : {}
    const outcomes = await Promise.allSettled(stage.map((bucket) => chargeOne(deps, attempt, bucket, counts)))
    const failed = outcomes.find((outcome) => outcome.status === 'rejected')
    const charged = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
    parts = [
      ...parts,
      ...charged.map((part) => ({ ...part, isCounted: isCounted && part.result === 'charged' })),
    ]
    if (failed === undefined) continue
    await refundAll(deps, parts, attempt.startedNs)
    throw failed.reason
  }
  const left = buckets.filter((bucket) => !parts.some(({ view }) => view.bucket === bucket))
  const all = [...parts, ...(left.length > 0 ? await leaveUncharged(deps, attempt, left) : [])]
  return buckets.flatMap((bucket) => all.filter(({ view }) => view.bucket === bucket))
}

/** Whether the bucket has denied; an unavailable one has not. */
export const hasDenied = ({ result }: ChargedPart): boolean => result === 'denied' || result === 'contended'

const isStopped = (part: ChargedPart): boolean => hasDenied(part) || part.result === 'outdated'

const allows = ({ result }: ChargedPart): boolean => result === 'charged' || result === 'untouched'

/** With `namesAll` the buckets are read, to find out which of them would deny; if one cannot be read, cached states are used. */
const leaveUncharged = async (
  deps: ChargingDependencies,
  { cost, now, namesAll }: ChargeAttempt,
  buckets: readonly ApplicableBucket[],
): Promise<readonly ChargedPart[]> => {
  const cached = buckets.map((bucket) => cachedView(deps.store, bucket))
  const views = namesAll ? await readViews(deps, { buckets }).catch(() => cached) : cached
  return views.map((view) => {
    const wouldDeny = violationsOf(view, cost, now).length > 0
    return { result: wouldDeny ? 'denied' : 'untouched', view, reported: [] }
  })
}

/** A throttled charge is certainly not applied. The pauses between the tries grow. */
const THROTTLED_TRIES = 4

/** A charge whose response was lost may have been applied. After the second try it counts as charged. */
const LOST_TRIES = 2

/**
 * The retry loop for throttled charges and lost responses: charges one bucket, and tries again during the first half of the
 * deadline. A charge of unknown outcome counts as charged and is never refunded; its part is `unavailable`. A bucket without
 * limits on the meters of the cost is not written.
 */
const chargeOne = async (
  deps: ChargingDependencies,
  attempt: ChargeAttempt,
  bucket: ApplicableBucket,
  counts: Counts,
): Promise<ChargedPart> => {
  const { isLatest } = attempt
  const cost = costOn(bucket, attempt.cost)
  if (limitChargesOf(bucket.limits, cost).length === 0) return untouched(deps, attempt, bucket)
  const request: ChargeRequest = { bucket: bucket.id, limits: bucket.limits, cost, counts, isLatest }
  const fromMemory = deps.batches.fromMemory(request)
  if (fromMemory) return partOf(deps, attempt, bucket, fromMemory)
  const untilNs = deps.clock.monotonic() + deps.deadlineNs / 2n
  for (let tries = 1; ; tries++) {
    const outcome = await deps.batches.charge(request).catch(unlessUnavailable)
    if (!(outcome instanceof StoreUnavailable)) return partOf(deps, attempt, bucket, outcome)
    const isTimeLeft = tries < mostTriesFor(outcome) && deps.clock.monotonic() < untilNs
    if (!isTimeLeft) return unavailable(bucket, outcome.reason)
    await deps.pause(tries)
  }
}

/** Slots concern only buckets with concurrency limits: a batch of others need not sum them up. */
const costOn = ({ limits }: ApplicableBucket, cost: ChargedCost): ChargedCost => {
  if (cost.slots === undefined || areHeld(limits)) return cost
  const { slots: _, ...others } = cost
  return others
}

const unlessUnavailable = (error: unknown): StoreUnavailable => {
  if (error instanceof StoreUnavailable) return error
  throw error
}

const mostTriesFor = ({ isThrottled }: StoreUnavailable): number =>
  isThrottled ? THROTTLED_TRIES : LOST_TRIES

/** The part of a bucket that could not be reached. */
const unavailable = (bucket: ApplicableBucket, cause: string): ChargedPart => ({
  result: 'unavailable',
  unavailableCause: cause,
  reported: [],
  view: { bucket, limits: bucket.limits, item: undefined },
})

const untouched = (
  { store }: ChargingDependencies,
  { cost, now }: ChargeAttempt,
  bucket: ApplicableBucket,
): ChargedPart => {
  const receipt = uncharged({ bucket: bucket.id, limits: bucket.limits }, cost, now)
  return { result: 'untouched', reported: [], view: cachedView(store, bucket), receipt }
}

const partOf = (
  { leases }: ChargingDependencies,
  { cost, now }: ChargeAttempt,
  bucket: ApplicableBucket,
  outcome: ChargeOutcome,
): ChargedPart => {
  const { result, item, limits, exceeded, chargedAt, lease } = outcome
  const held = leases.isOn ? leases.heldOf(leases.of({ bucket: bucket.id, limits: bucket.limits })) : {}
  const view: BucketView = { bucket, limits, item, held, ...(!lease && { at: chargedAt }) }
  if (result !== 'charged') {
    // a bucket of limits that only warn never denies, not even if other writes came first at every attempt
    const isBound = limitChargesOf(limits, cost).some(({ effective }) => isEnforced(effective.limit))
    return {
      result: isBound || result === 'outdated' ? result : 'untouched',
      view,
      reported: exceededIn(view, cost, now),
    }
  }
  const isExceeded = ({ limit }: EffectiveLimit): boolean => exceeded.includes(limit.name)
  const reported = limits.filter(isExceeded).map((effective) => violationOf(view, effective, cost, now))
  if (lease) return { result, view, reported, receipt: receiptFor(lease.receipt, cost), lease }
  const charged = { bucket: bucket.id, limits: limits.filter((effective) => !isExceeded(effective)), item }
  return { result, view, reported, receipt: receiptOf(charged, cost, chargedAt) }
}
