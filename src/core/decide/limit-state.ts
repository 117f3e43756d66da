import { fieldsInForce } from '../bucket/carry-over.ts'
import { demandsOf, fitsAtAll } from '../bucket/charge-plan.ts'
import { boundOf, isPaused, type LimitInForce } from '../bucket/limit-in-force.ts'
import type { Receipt } from '../bucket/receipt.ts'
import type { BucketItem } from '../bucket/write.ts'
import type { ChargeOutcome } from '../charge/charge-bucket.ts'
import type { Lease } from '../charge/lease.ts'
import { isEnforced } from '../model/limit.ts'
import type { Cost } from '../model/meter.ts'
import type { BucketPlan } from '../resolve/bucket-plan.ts'
import type { LimitState, Violation } from './decision.ts'

/** A bucket's state as a decision found or left it. */
export interface BucketView {
  readonly plan: BucketPlan
  /** The limits decided by; those of the plan, unless the bucket knew a later change. */
  readonly limits: readonly LimitInForce[]
  /** undefined: nothing is stored, all is full */
  readonly item: BucketItem | undefined
  /** What this process holds in leases, per meter: charged, and not used yet. */
  readonly held?: Cost
  /** ns since the epoch: as of when it is told, where that is not the moment of the decision; a charge may wait for another. */
  readonly at?: bigint
}

/** The share of a limit that is used; of a paused limit (capacity 0) all of it. */
export const usedShare = ({ used, capacity }: Pick<LimitState, 'used' | 'capacity'>): number =>
  capacity === 0 ? 1 : used / capacity

/** Every limit of a bucket as people see it at `now`. */
export const limitStates = (view: BucketView, now: bigint): readonly LimitState[] =>
  view.limits.map((inForce) => limitState(view, inForce, now))

/** Whether an enforced limit of a bucket denies `cost` in every state: it is larger than what the caller may use of it. */
export const neverFits = ({ limits }: Pick<BucketPlan, 'limits'>, cost: Cost): boolean =>
  demandsOf(limits, cost).some((demand) => isEnforced(demand.inForce.limit) && !fitsAtAll(demand))

/** Every limit of the bucket that denies `cost`, and when it would pass. */
export const violationsOf = (view: BucketView, cost: Cost, now: bigint): readonly Violation[] =>
  view.limits.flatMap((inForce) => {
    if (!isEnforced(inForce.limit)) return []
    const violation = violationOf(view, inForce, cost, now)
    return violation.retryAfterNs === 0n ? [] : [violation]
  })

/** Every limit that only warns and that `cost` does not fit. */
export const excessesOf = (view: BucketView, cost: Cost, now: bigint): readonly Violation[] =>
  view.limits.flatMap((inForce) => {
    if (isEnforced(inForce.limit)) return []
    const violation = violationOf(view, inForce, cost, now)
    return violation.retryAfterNs === 0n ? [] : [violation]
  })

/** A limit as exceeded by `cost`; a cost that does not touch it waits for nothing. */
export const violationOf = (view: BucketView, inForce: LimitInForce, cost: Cost, now: bigint): Violation => {
  const { meter } = inForce.limit
  const requested = cost[meter]
  const retryAfterNs = requested === undefined ? 0n : waitNs(view, inForce, requested, view.at ?? now)
  return { state: limitState(view, inForce, now), meter, requested: requested ?? 0, retryAfterNs }
}

/** The greatest wait; null where one of them never ends, and 0 of none. */
export const longestWait = (waits: readonly (bigint | null)[]): bigint | null =>
  waits.reduce<bigint | null>(
    (longest, wait) => (longest === null || wait === null ? null : wait > longest ? wait : longest),
    0n,
  )

/** ns until `amount` passes the limit; null: it never will. */
const waitNs = ({ item }: BucketView, inForce: LimitInForce, amount: number, now: bigint): bigint | null =>
  isPaused(inForce) || amount > boundOf(inForce)
    ? null
    : inForce.algorithm.wait(fieldsInForce(item, inForce, now), amount, now, boundOf(inForce))

const limitState = (view: BucketView, inForce: LimitInForce, now: bigint): LimitState =>
  stateAt(view, inForce, view.at ?? now)

const stateAt = (view: BucketView, inForce: LimitInForce, now: bigint): LimitState => {
  const { plan, item, held } = view
  const { limit, algorithm, source } = inForce
  const level = algorithm.level(fieldsInForce(item, inForce, now), now)
  const open = level.available - (algorithm.capacity - boundOf(inForce)) + (held?.[limit.meter] ?? 0)
  const available = Math.min(Math.max(0, open), algorithm.capacity)
  const nextNs = available > 0 ? null : waitNs(view, inForce, 1, now)
  // made for each limit of each answer: spreads of what may be missing would take as long as all the rest
  const state: { -readonly [K in keyof LimitState]: LimitState[K] } = {
    bucket: plan.bucket,
    entityId: plan.entityId,
    resource: plan.resource,
    limit,
    // with `headroom` also the limit's own capacity, not the caller's bound: only `available` and the waits are the caller's
    capacity: algorithm.capacity,
    available,
    used: algorithm.capacity - available,
    resetNs: level.resetNs,
    windowNs: algorithm.windowNs,
    source,
    own: plan.isOwn,
  }
  if (level.endsInNs !== undefined) state.endsInNs = level.endsInNs
  if (nextNs !== null) state.nextNs = nextNs
  return state
}

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
