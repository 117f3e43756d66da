import type { LiveTime } from '../bucket/algorithm.ts'
import { bucketKey } from '../bucket/bucket-store.ts'
import { areHeld, isPaused } from '../bucket/effective-limit.ts'
import type { LiveBucket, LiveBuckets } from '../bucket/live-bucket.ts'
import { receiptOf, uncharged } from '../bucket/receipt.ts'
import { USED } from '../charge/counters.ts'
import type { SettlingDependencies } from '../charge/settle.ts'
import { isEnforced } from '../model/limit.ts'
import { type Cost, METERS, onMeter } from '../model/meter.ts'
import type { Moment } from '../ports/platform.ts'
import type { ApplicableBucket, Resolution } from '../resolve/resolution.ts'
import { DENIAL_MAX_AGE_NS } from './decide.ts'
import type { Allowed, Decision, Denied, LimitState, Reservation, Violation } from './decision.ts'
import type { DecisionLog } from './decision-log.ts'
import { type ChargedPart, longestWait } from './limit-state.ts'
import { moveAll, type NumericLimit, numericLimits, stateOf } from './numeric-limits.ts'
import { createReservation, settledReservation } from './reservation.ts'

/*
 * Decisions on buckets that only this process writes. All limits of all buckets are checked, and then all are charged or none,
 * in one turn of the event loop: nothing is ever refunded or repeated. `decide.ts` would make the same decisions with the same
 * buckets as a result; it makes all unusual ones.
 */

export interface LivePath {
  /** The buckets of a resolution, for as long as it is cached; undefined if they are not charged in place. */
  prepare(resolution: Resolution): LiveParts
  /** Undefined if `decide` must decide. The cost is checked. */
  decide(request: LiveRequest): Decision | undefined
}

export interface LiveRequest {
  readonly parts: LiveParts
  readonly cost: Cost
  readonly settles: boolean
  readonly moment: Moment
  /** When the configuration was read, by the monotonic clock in ns: only a recent one denies. */
  readonly readNs: bigint
}

export interface LivePathDependencies extends SettlingDependencies {
  readonly live: LiveBuckets
  readonly log: DecisionLog
}

/** A bucket of a resolution, looked up once. */
export interface LivePart {
  readonly bucket: ApplicableBucket
  readonly key: string
  /** Undefined if it was not found, or has ended. */
  live: LiveBucket | undefined
  /** Its first limit, by which the others are linked. */
  first: NumericLimit | undefined
  /** The next bucket of the resolution: an array would be two more objects to read. */
  readonly next: LivePart | undefined
}

/** The first bucket of a resolution; undefined: its buckets are not charged in place. */
export type LiveParts = LivePart | undefined

export const createLivePath = (deps: LivePathDependencies): LivePath => {
  const prepared = new WeakMap<Resolution, LiveParts>()
  const prepare = (resolution: Resolution): LiveParts => {
    const cached = prepared.get(resolution)
    if (cached !== undefined || prepared.has(resolution)) return cached
    const { buckets } = resolution
    const parts = buckets.every(isUsual) ? buckets.reduceRight<LiveParts>(partBefore, undefined) : undefined
    prepared.set(resolution, parts)
    return parts
  }
  return {
    prepare,
    decide(request) {
      const { parts, cost, moment, readNs } = request
      if (parts === undefined) return undefined
      const time = deps.live.timeOf(moment.now)
      if (!areFound(deps.live, parts, time)) return undefined
      const result = resultOf(parts, cost)
      if (result === 'allowed') return allow(deps, parts, request, time)
      const isFresh = moment.monotonic - readNs <= DENIAL_MAX_AGE_NS
      return result === 'denied' && isFresh && partsOf(parts).every(isUnscheduled)
        ? deny(deps, parts, cost)
        : undefined
    },
  }
}

/**
 * Whether every limit can be charged in place: not those that hold slots, limits that only warn, each of which may be skipped, nor
 * paused ones.
 */
const isUsual = ({ limits }: ApplicableBucket): boolean =>
  !areHeld(limits) && limits.every((effective) => isEnforced(effective.limit) && !isPaused(effective))

/** Otherwise the wait may end with a transition, which `decide` computes. */
const isUnscheduled = ({ bucket }: LivePart): boolean =>
  bucket.limits.every(({ scheduled }) => scheduled === undefined)

const partBefore = (next: LiveParts, bucket: ApplicableBucket): LivePart => ({
  bucket,
  key: bucketKey(bucket.id),
  live: undefined,
  first: undefined,
  next,
})

const areFound = (buckets: LiveBuckets, parts: LivePart, time: LiveTime): boolean => {
  for (let part: LiveParts = parts; part !== undefined; part = part.next) {
    const isFound = part.live?.isOf(time) === true || find(buckets, part, time)
    if (!isFound || !isMoved(part, time)) return false
  }
  return true
}

/** Looks up the stored bucket of a part. False if there is none that can be charged in place. */
const find = (buckets: LiveBuckets, part: LivePart, time: LiveTime): boolean => {
  part.live = undefined
  const found = buckets.at(part.key, time)
  if (found === undefined) return false
  const limits = numericLimits(found, part.bucket.limits, time)
  if (limits === undefined) return false
  part.first = limits.first
  part.live = found
  return true
}

/** False, and the live bucket has ended: a limit cannot follow. */
const isMoved = ({ live, first }: LivePart, time: LiveTime): boolean => {
  if (moveAll(first, time)) return true
  live?.end()
  return false
}

type Result = 'allowed' | 'denied' | 'never'

/** The result of all limits together. `never`: the cost exceeds the caller's share of one. */
const resultOf = (parts: LivePart, cost: Cost): Result => {
  let result: Result = 'allowed'
  for (let part: LiveParts = parts; part !== undefined; part = part.next)
    for (let limit = part.first; limit !== undefined; limit = limit.next) {
      const own = resultOfLimit(limit, cost)
      if (own === 'never') return 'never'
      if (own === 'denied') result = 'denied'
    }
  return result
}

const resultOfLimit = ({ meter, bound, state }: NumericLimit, cost: Cost): Result => {
  const amount = cost[meter]
  if (amount === undefined) return 'allowed'
  if (amount > bound) return 'never'
  return state.fits(amount, bound) ? 'allowed' : 'denied'
}

const NONE: readonly Violation[] = []

const allow = (
  deps: LivePathDependencies,
  parts: LivePart,
  { cost, settles, moment }: LiveRequest,
  { ns }: LiveTime,
): Allowed => {
  const limits: LimitState[] = []
  let isNear = false
  for (let part: LiveParts = parts; part !== undefined; part = part.next) {
    charge(deps, part, cost, ns)
    if (!settles) countUse(part, cost)
    for (let limit = part.first; limit !== undefined; limit = limit.next) {
      const state = stateOf(part.bucket, limit)
      if (state.used >= limit.nearAt) isNear = true
      limits.push(state)
    }
  }
  deps.metrics.count('decisions_allowed')
  const reservation = settles ? reservationOf(deps, parts, cost, moment) : settledReservation
  const decision: Allowed = { allowed: true, degraded: false, limits, reported: NONE, reservation }
  if (isNear) deps.log(decision)
  return decision
}

/** Charges the limits that the cost touches, and adds the counts that are pending for the bucket. */
const charge = ({ metrics, tally }: LivePathDependencies, part: LivePart, cost: Cost, ns: number): void => {
  const { bucket, live } = part
  const fullInNs = take(part, cost)
  if (fullInNs === undefined || live === undefined) return
  live.charged(ns + fullInNs)
  metrics.count('bucket_writes')
  const pending = tally.hasAny() ? tally.take(bucket.id) : undefined
  if (pending === undefined) return
  for (const [name, amount] of Object.entries(pending.counts)) live.count(name, amount)
}

/** The ns until all of the charged limits are full again at the latest; undefined if the cost touches none. */
const take = ({ first }: LivePart, cost: Cost): number | undefined => {
  let fullInNs: number | undefined
  for (let limit = first; limit !== undefined; limit = limit.next) {
    const { meter, state } = limit
    const amount = cost[meter]
    if (amount === undefined) continue
    state.take(amount)
    fullInNs = Math.max(fullInNs ?? 0, state.fullInNs())
  }
  return fullInNs
}

const countUse = ({ live }: LivePart, cost: Cost): void => {
  for (const meter of METERS) {
    const amount = cost[meter]
    if (amount !== undefined) live?.count(USED[meter], amount)
  }
}

const reservationOf = (
  deps: LivePathDependencies,
  parts: LivePart,
  cost: Cost,
  { now, monotonic }: Moment,
): Reservation => {
  const charged = partsOf(parts).map(({ bucket, live }): ChargedPart => {
    const { id, limits } = bucket
    const view = { bucket, limits, item: undefined }
    const isTouched = limits.some(({ limit }) => onMeter(cost, limit.meter) !== undefined)
    const receipt = isTouched
      ? receiptOf({ bucket: id, limits, item: live?.item() }, cost, now)
      : uncharged({ bucket: id, limits }, cost, now)
    return { result: isTouched ? 'charged' : 'untouched', view, reported: NONE, receipt }
  })
  return createReservation(deps, charged, cost, monotonic)
}

const partsOf = (first: LivePart): readonly LivePart[] => {
  const parts: LivePart[] = []
  for (let part: LiveParts = first; part !== undefined; part = part.next) parts.push(part)
  return parts
}

const deny = (deps: LivePathDependencies, parts: LivePart, cost: Cost): Denied => {
  const limits: LimitState[] = []
  const violations: Violation[] = []
  for (let part: LiveParts = parts; part !== undefined; part = part.next) {
    const before = violations.length
    for (let limit = part.first; limit !== undefined; limit = limit.next) {
      const state = stateOf(part.bucket, limit)
      limits.push(state)
      if (resultOfLimit(limit, cost) === 'denied') violations.push(violationOf(part, limit, state, cost))
    }
    if (violations.length === before) continue
    part.live?.denied()
    deps.metrics.count('bucket_writes')
  }
  partsOf(parts)
    .find(({ bucket }) => bucket.isOwn)
    ?.live?.count('denied', 1)
  deps.metrics.count('decisions_denied')
  const retryAfterNs = longestWait(violations.map((violation) => violation.retryAfterNs))
  // spreads would take as long as all the rest
  const decision: Denied = {
    allowed: false,
    degraded: false,
    unavailable: false,
    limits,
    violations,
    reported: NONE,
    retryAfterNs,
  }
  deps.log(decision)
  return decision
}

/** Counts the denial by the limit as well. */
const violationOf = (
  { live }: LivePart,
  { meter, bound, state: charged, counter }: NumericLimit,
  state: LimitState,
  cost: Cost,
): Violation => {
  live?.count(counter, 1)
  const requested = cost[meter] ?? 0
  return { state, meter, requested, retryAfterNs: BigInt(charged.waitNs(requested, bound)) }
}
