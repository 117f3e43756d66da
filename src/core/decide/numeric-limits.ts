import type { LiveLimit, LiveOrigin, LiveTime } from '../bucket/algorithm.ts'
import { boundOf, type EffectiveLimit } from '../bucket/effective-limit.ts'
import { LiveBucket, type LiveBucketOwner } from '../bucket/live-bucket.ts'
import type { BucketItem } from '../bucket/write.ts'
import { deniedCounter } from '../charge/counters.ts'
import { leftOf } from '../charge/lease.ts'
import type { LeasedBucket } from '../charge/leases.ts'
import { nearAmount } from '../model/limit.ts'
import { IN_FLIGHT, type Meter } from '../model/meter.ts'
import { instantOf, type Moment } from '../ports/platform.ts'
import type { ApplicableBucket } from '../resolve/resolution.ts'
import type { LimitState } from './decision.ts'

/*
 * The states of limits, computed from numbers instead of BigInts. `limitStates` computes the same from any item; it takes
 * longer than the rest of a decision that needs no write.
 */

/** A limit of a live bucket, with what decisions use of its definition. */
export interface NumericLimit {
  readonly effective: EffectiveLimit
  readonly meter: Meter
  readonly bound: number
  /** The amount in use from which a decision is logged. */
  readonly nearAt: number
  /** `denied_<limit>` */
  readonly counter: string
  readonly state: LiveLimit
  /** The next limit of the bucket: an array would be two more objects to read. */
  readonly next: NumericLimit | undefined
}

/** The limits of a bucket, in their order; none if there is no `first`. */
export interface NumericLimits {
  readonly first: NumericLimit | undefined
}

/** All of `limits` in a live bucket; undefined if it keeps another of a name, or numbers cannot represent a state. */
export const numericLimits = (
  live: LiveBucket,
  limits: readonly EffectiveLimit[],
  time: LiveTime,
): NumericLimits | undefined => {
  const known = limits.flatMap((effective) => {
    const { meter } = effective.limit
    const held = meter === IN_FLIGHT ? undefined : live.hold(effective, time)
    return meter === IN_FLIGHT || held === undefined ? [] : [{ effective, meter, state: held.state }]
  })
  if (known.length < limits.length) return undefined
  return { first: known.reduceRight<NumericLimit | undefined>(limitBefore, undefined) }
}

const limitBefore = (
  next: NumericLimit | undefined,
  known: Pick<NumericLimit, 'effective' | 'meter' | 'state'>,
): NumericLimit => {
  const { effective, meter, state } = known
  const { limit, algorithm } = effective
  const nearAt = nearAmount(limit, algorithm.capacity)
  const counter = deniedCounter(limit.name)
  return { effective, meter, bound: boundOf(effective), nearAt, counter, state, next }
}

/** Moves limits of the same origin to `time`. False: one of them cannot follow. */
export const moveAll = (first: NumericLimit | undefined, time: LiveTime): boolean => {
  for (let each = first; each !== undefined; each = each.next) if (!each.state.moveTo(time)) return false
  return true
}

/** The state of a limit now, as `limitStates` computes it from an item. `leased`: the remaining tokens of leases. */
export const stateOf = (
  bucket: ApplicableBucket,
  { effective, bound, state: live }: NumericLimit,
  leased = 0,
): LimitState => {
  const { limit, algorithm, source } = effective
  const { capacity, windowNs } = algorithm
  const open = live.available() - (capacity - bound) + leased
  const available = Math.min(Math.max(0, open), capacity)
  const state: { -readonly [K in keyof LimitState]: LimitState[K] } = {
    bucket: bucket.id,
    entityId: bucket.entityId,
    resource: bucket.resource,
    limit,
    capacity,
    available,
    used: capacity - available,
    resetNs: BigInt(live.resetNs()),
    windowNs,
    source,
    own: bucket.isOwn,
  }
  const endsInNs = live.endsInNs()
  if (endsInNs !== undefined) state.endsInNs = BigInt(endsInNs)
  if (available === 0 && bound >= 1) state.nextNs = BigInt(live.waitNs(1, bound))
  return state
}

/** The cached item of a bucket as numbers, for as long as it stays cached. It is only read. */
export class CachedStates {
  readonly #bucket: ApplicableBucket
  #item: BucketItem | undefined
  #origin: LiveOrigin | undefined
  #first: NumericLimit | undefined
  /** Whether numbers represent `#item` at the last time. */
  #isNumeric = false

  constructor(bucket: ApplicableBucket) {
    this.#bucket = bucket
  }

  /** Adds the state of every limit to `states`. False, and none added: `limitStates` must compute them. */
  addTo(
    states: LimitState[],
    item: BucketItem | undefined,
    { first }: LeasedBucket,
    moment: Moment,
    time: LiveTime,
  ): boolean {
    if (item === undefined || !this.#isMoved(item, time)) return false
    const instant = instantOf(moment)
    for (let each = this.#first; each !== undefined; each = each.next)
      states.push(stateOf(this.#bucket, each, leftOf(first, each.meter, instant)))
    return true
  }

  /** Moves the limits of the item to a time. False: they must be computed from the item. */
  #isMoved(item: BucketItem, time: LiveTime): boolean {
    const isRead = item === this.#item && time.origin === this.#origin
    if (isRead && this.#isNumeric && moveAll(this.#first, time)) return true
    this.#item = item
    this.#origin = time.origin
    const limits = numericLimits(new LiveBucket(item, time, NO_OWNER), this.#bucket.limits, time)
    this.#first = limits?.first
    this.#isNumeric = limits !== undefined
    return this.#isNumeric
  }
}

/** No store keeps the bucket. */
const NO_OWNER: LiveBucketOwner = { periods: { current: 0 }, used() {}, ended() {} }
