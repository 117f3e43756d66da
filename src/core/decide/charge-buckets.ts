import { limitChargesOf } from '../bucket/charge-plan.ts'
import type { EffectiveLimit } from '../bucket/effective-limit.ts'
import { receiptFor, receiptOf, uncharged } from '../bucket/receipt.ts'
import type { BatchDependencies, Batches } from '../charge/batches.ts'
import { type Counts, useOf } from '../charge/counters.ts'
import { refundAll } from '../charge/settle.ts'
import type { ChargeOutcome, ChargeRequest } from '../charge/write-charge.ts'
import { StoreUnavailable } from '../model/errors.ts'
import { isEnforced } from '../model/limit.ts'
import type { Cost } from '../model/meter.ts'
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
  /** For how long after the first attempt a charge may be tried again, twice this in ns. */
  readonly deadlineNs: bigint
  /** Waits a short while, at random, before a charge is tried again; longer where it has failed `tries` times. */
  pause(tries: number): Promise<void>
}

/** One attempt to charge a request on all buckets that a resolution names. */
export interface ChargeAttempt {
  readonly cost: Cost
  readonly resolution: Resolution
  /** As of `ChargeRequest`. */
  readonly isLatest: boolean
  /** Whether the use is counted when the reservation is settled; else it is counted with the charge where it can be. */
  readonly settles: boolean
  /** Whether a denial names every limit that would deny, also of buckets that were not charged. */
  readonly namesAll: boolean
  /** ns since the epoch */
  readonly now: bigint
  /** By the monotonic clock. */
  readonly startedNs: bigint
}

/**
 * Charges all buckets, stage by stage; after a denial the stages left are not charged. The parts are in the order of the
 * resolution. If one bucket throws, the charges of all others are refunded before the error is thrown.
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
    // of a single bucket that is left, it is known that all others allow
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

/** If all that denies is to be named, the buckets are read; those that cannot be read are left out. */
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

/** A throttled charge is certainly not applied; each repetition comes after a longer pause. */
const THROTTLED_TRIES = 4

/** A charge whose response was lost may have been applied: once more, and it counts as charged. */
const LOST_TRIES = 2

/**
 * The retry loop for throttled charges and lost responses: charges one bucket, and tries again while half of the deadline
 * is left. A charge of unknown outcome counts as charged, is never refunded, and the part is `unavailable`. Limits that the
 * cost does not touch cost no write.
 */
const chargeOne = async (
  deps: ChargingDependencies,
  attempt: ChargeAttempt,
  bucket: ApplicableBucket,
  counts: Counts,
): Promise<ChargedPart> => {
  const { cost, isLatest } = attempt
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

const unlessUnavailable = (error: unknown): StoreUnavailable => {
  if (error instanceof StoreUnavailable) return error
  throw error
}

const mostTriesFor = ({ isThrottled }: StoreUnavailable): number =>
  isThrottled ? THROTTLED_TRIES : LOST_TRIES

/** A bucket that could not be reached. */
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
    // limits that only warn deny nothing, also where others wrote first at every attempt
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
