import { effectiveFields } from '../bucket/carry-over.ts'
import { fitsAtAll, limitChargesOf } from '../bucket/charge-plan.ts'
import { boundOf, type EffectiveLimit, isPaused } from '../bucket/effective-limit.ts'
import type { Receipt } from '../bucket/receipt.ts'
import { waitOverTransitions } from '../bucket/scheduled-limit.ts'
import type { BucketItem } from '../bucket/write.ts'
import type { CachedBuckets } from '../charge/cached-buckets.ts'
import { readSettled } from '../charge/joint-refunds.ts'
import type { Lease } from '../charge/lease.ts'
import type { Leases } from '../charge/leases.ts'
import type { SettlingDependencies } from '../charge/settle.ts'
import type { ChargeOutcome } from '../charge/write-charge.ts'
import { isEnforced } from '../model/limit.ts'
import { amountOf, type ChargedCost, type Cost, type LimitMeter, onMeter } from '../model/meter.ts'
import type { ApplicableBucket, Resolution } from '../resolve/resolution.ts'
import type { LimitState, Violation } from './decision.ts'

/** The state of a bucket for a decision: after its charge, or as read or cached. */
export interface BucketView {
  readonly bucket: ApplicableBucket
  /** The limits that applied: those of the resolution, unless the bucket contains a later version. */
  readonly limits: readonly EffectiveLimit[]
  /** Undefined if nothing is stored: all limits are full. */
  readonly item: BucketItem | undefined
  /** The remaining tokens in leases of this process, per meter. */
  readonly held?: Cost
  /** The time of the state, ns since the epoch, if it is not that of the decision: a charge may have waited for another. */
  readonly at?: bigint
}

/** A bucket in its cached state. */
export const cachedView = (store: CachedBuckets, bucket: ApplicableBucket): BucketView => ({
  bucket,
  limits: bucket.limits,
  item: store.cached(bucket.id),
})

export interface ReadingDependencies extends SettlingDependencies {
  /** Tokens of a bucket in this process's leases count as available. */
  readonly leases: Pick<Leases, 'heldAt'>
}

/** Reads every bucket from the store. Throws `StoreUnavailable`. */
export const readViews = (
  deps: ReadingDependencies,
  { buckets }: Resolution,
): Promise<readonly BucketView[]> =>
  Promise.all(
    buckets.map(async (bucket) => {
      const item = await readSettled(deps, bucket.id)
      return { bucket, limits: bucket.limits, item, held: deps.leases.heldAt(bucket.id) }
    }),
  )

/** The used share of a limit; 1 for a paused limit (capacity 0). */
export const usedShare = ({ used, capacity }: Pick<LimitState, 'used' | 'capacity'>): number =>
  capacity === 0 ? 1 : used / capacity

/** The state of every limit of a bucket at `now`. */
export const limitStates = (view: BucketView, now: bigint): readonly LimitState[] =>
  view.limits.map((effective) => limitState(view, effective, now))

/** Whether an enforced limit of a bucket denies `cost` in every state: the cost exceeds the caller's share of it. */
export const neverFits = ({ limits }: Pick<ApplicableBucket, 'limits'>, cost: ChargedCost): boolean =>
  limitChargesOf(limits, cost).some((demand) => isEnforced(demand.effective.limit) && !fitsAtAll(demand))

/** Every enforced limit of the bucket that `cost` does not fit. */
export const violationsOf = (view: BucketView, cost: ChargedCost, now: bigint): readonly Violation[] =>
  view.limits.flatMap((effective) => {
    if (!isEnforced(effective.limit)) return []
    const violation = violationOf(view, effective, cost, now)
    return violation.retryAfterNs === 0n ? [] : [violation]
  })

/** Every limit of the bucket that only warns, and that `cost` does not fit. */
export const exceededIn = (view: BucketView, cost: ChargedCost, now: bigint): readonly Violation[] =>
  view.limits.flatMap((effective) => {
    if (isEnforced(effective.limit)) return []
    const violation = violationOf(view, effective, cost, now)
    return violation.retryAfterNs === 0n ? [] : [violation]
  })

/** The violation of one limit by `cost`; with a wait of 0 if `cost` fits, or does not name the limit's meter. */
export const violationOf = (
  view: BucketView,
  effective: EffectiveLimit,
  cost: ChargedCost,
  now: bigint,
): Violation => {
  const { meter } = effective.limit
  const requested = amountOf(cost, meter)
  const retryAfterNs = requested === undefined ? 0n : waitNs(view, effective, requested, view.at ?? now)
  return { state: limitState(view, effective, now), meter, requested: requested ?? 0, retryAfterNs }
}

/** The longest wait: null if one of them is null (never ends), 0 if there are none. */
export const longestWait = (waits: readonly (bigint | null)[]): bigint | null =>
  waits.reduce<bigint | null>(
    (longest, wait) => (longest === null || wait === null ? null : wait > longest ? wait : longest),
    0n,
  )

/** ns until `amount` passes the limit, whose schedule may give it another size; null: never. */
const waitNs = (
  { item }: BucketView,
  effective: EffectiveLimit,
  amount: number,
  now: bigint,
): bigint | null => {
  const fields = effectiveFields(item, effective, now)
  const wait = waitOverTransitions({ effective, fields, at: now }, amount)
  return wait === null || isPaused(effective) ? wait : statedWait(effective, wait)
}

const statedWait = ({ algorithm: { retryNs } }: EffectiveLimit, wait: bigint): bigint =>
  retryNs === undefined || wait === 0n ? wait : retryNs

const heldOn = (meter: LimitMeter, held: Cost | undefined): number => (held && onMeter(held, meter)) ?? 0

const limitState = (view: BucketView, effective: EffectiveLimit, now: bigint): LimitState =>
  stateAt(view, effective, view.at ?? now)

const stateAt = (view: BucketView, effective: EffectiveLimit, now: bigint): LimitState => {
  const { bucket, item, held } = view
  const { limit, algorithm, source } = effective
  const level = algorithm.level(effectiveFields(item, effective, now), now)
  const open = level.available - (algorithm.capacity - boundOf(effective)) + heldOn(limit.meter, held)
  const available = Math.min(Math.max(0, open), algorithm.capacity)
  const nextNs = available > 0 ? null : waitNs(view, effective, 1, now)
  // created for each limit of each response: spreading optional properties would take as long as all the rest
  const state: { -readonly [K in keyof LimitState]: LimitState[K] } = {
    bucket: bucket.id,
    entityId: bucket.entityId,
    resource: bucket.resource,
    limit,
    // the limit's own capacity, even with `headroom`: only `available` and the waits depend on the caller's share
    capacity: algorithm.capacity,
    available,
    used: algorithm.capacity - available,
    resetNs: level.resetNs,
    windowNs: algorithm.windowNs,
    source,
    own: bucket.isOwn,
  }
  if (level.endsInNs !== undefined) state.endsInNs = level.endsInNs
  if (nextNs !== null) state.nextNs = nextNs
  return state
}

/** The result of one bucket of a decision. */
export interface ChargedPart {
  readonly result: ChargeOutcome['result'] | 'untouched' | 'unavailable'
  readonly view: BucketView
  /** Limits that only warn and that the request exceeds. */
  readonly reported: readonly Violation[]
  /** Undefined if it is unknown what was charged. */
  readonly receipt?: Receipt
  /** The lease that paid. */
  readonly lease?: Lease
  /** Why the bucket could not be reached, if the result is `unavailable`. */
  readonly unavailableCause?: string
  /** Whether the use was counted in the same write. */
  readonly isCounted?: boolean
}
