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
}

/** All of `limits` in a live bucket; undefined if it keeps another of a name, or numbers cannot represent a state. */
export const numericLimits = (
  live: LiveBucket,
  limits: readonly EffectiveLimit[],
  time: LiveTime,
): readonly NumericLimit[] | undefined => {
  const found = limits.flatMap((effective) => limitOf(live, effective, time))
  return found.length < limits.length ? undefined : found
}

/** Moves limits of the same origin to `time`. False: one of them cannot follow. */
export const moveAll = (limits: readonly NumericLimit[], time: LiveTime): boolean => {
  for (const { state } of limits) if (!state.moveTo(time)) return false
  return true
}

const limitOf = (live: LiveBucket, effective: EffectiveLimit, time: LiveTime): readonly NumericLimit[] => {
  const { limit, algorithm } = effective
  const { meter } = limit
  if (meter === IN_FLIGHT) return []
  const held = live.hold(effective, time)
  const nearAt = nearAmount(limit, algorithm.capacity)
  const counter = deniedCounter(limit.name)
  return held === undefined
    ? []
    : [{ effective, meter, bound: boundOf(effective), nearAt, counter, state: held.state }]
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
  #limits: readonly NumericLimit[] | undefined

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
    if (item === undefined) return false
    const limits = this.#limitsAt(item, time)
    if (limits === undefined) return false
    const instant = instantOf(moment)
    for (const limit of limits) states.push(stateOf(this.#bucket, limit, leftOf(first, limit.meter, instant)))
    return true
  }

  #limitsAt(item: BucketItem, time: LiveTime): readonly NumericLimit[] | undefined {
    const isRead = item === this.#item && time.origin === this.#origin
    if (isRead && this.#limits !== undefined && moveAll(this.#limits, time)) return this.#limits
    this.#item = item
    this.#origin = time.origin
    this.#limits = numericLimits(new LiveBucket(item, time, NO_OWNER), this.#bucket.limits, time)
    return this.#limits
  }
}

/** No store keeps the bucket. */
const NO_OWNER: LiveBucketOwner = { periods: { current: 0 }, used() {}, ended() {} }
