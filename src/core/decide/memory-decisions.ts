import { receiptFor, uncharged } from '../bucket/receipt.ts'
import type { Lease } from '../charge/lease.ts'
import type { SettlingDependencies } from '../charge/settle.ts'
import { type Cost, NO_SLOTS } from '../model/meter.ts'
import type { Moment } from '../ports/platform.ts'
import type { Allowed, Denied, LimitState, Reservation, Violation } from './decision.ts'
import { type BucketView, type ChargedPart, limitStates, longestWait, violationsOf } from './limit-state.ts'
import { bucketsOf, type PreparedBucket, statesOf } from './prepared-buckets.ts'
import { createReservation, settledReservation } from './reservation.ts'

/*
 * Decisions of the fast path, in a few microseconds each: limits, violations and the reservation are computed when they are
 * read. These are classes, because creating an object with closures takes longer than the decision itself
 * (docs/decisions/026-build-in-memory-decisions-lazily.md).
 */

const NONE: readonly Violation[] = []

export class LeasedDecision implements Allowed {
  readonly allowed = true
  readonly degraded = false
  readonly reported = NONE
  readonly #deps: SettlingDependencies
  readonly #first: PreparedBucket
  readonly #paid: readonly (Lease | undefined)[]
  readonly #cost: Cost
  readonly #moment: Moment
  #reservation: Reservation | undefined
  #limits: readonly LimitState[] | undefined

  /** `paid`: the lease that paid for each bucket, in their order. `moment`: the time of the decision. */
  constructor(
    deps: SettlingDependencies,
    first: PreparedBucket,
    paid: readonly (Lease | undefined)[],
    cost: Cost,
    settles: boolean,
    moment: Moment,
  ) {
    this.#deps = deps
    this.#first = first
    this.#paid = paid
    this.#cost = cost
    this.#moment = moment
    this.#reservation = settles ? undefined : settledReservation
  }

  get limits(): readonly LimitState[] {
    this.#limits ??= statesOf(this.#first, this.#moment)
    return this.#limits
  }

  get reservation(): Reservation {
    this.#reservation ??= createReservation(this.#deps, this.#parts(), this.#cost, this.#moment.monotonic)
    return this.#reservation
  }

  #parts(): readonly ChargedPart[] {
    return bucketsOf(this.#first).map((bucket, at): ChargedPart => {
      const view = bucket.view()
      const lease = this.#paid[at]
      if (!lease)
        return {
          view,
          reported: NONE,
          result: 'untouched',
          receipt: uncharged({ bucket: view.bucket.id, limits: view.limits }, this.#cost, this.#moment.now),
        }
      const receipt = receiptFor(lease.receipt, this.#cost)
      return { view, reported: NONE, result: 'charged', lease, receipt }
    })
  }
}

export class RememberedDenial implements Denied {
  readonly allowed = false
  readonly degraded = false
  readonly unavailable = false
  readonly reported = NONE
  readonly #first: PreparedBucket
  readonly #by: BucketView
  readonly #cost: Cost
  readonly #now: bigint
  #limits: readonly LimitState[] | undefined
  #violations: readonly Violation[] | undefined

  /** `by`: the bucket that denied, in the state in which it denied. */
  constructor(first: PreparedBucket, by: BucketView, cost: Cost, now: bigint) {
    this.#first = first
    this.#by = by
    this.#cost = cost
    this.#now = now
  }

  get limits(): readonly LimitState[] {
    this.#limits ??= bucketsOf(this.#first).flatMap((bucket) =>
      limitStates(bucket.applicable === this.#by.bucket ? this.#by : bucket.view(), this.#now),
    )
    return this.#limits
  }

  get violations(): readonly Violation[] {
    this.#violations ??= violationsOf(this.#by, { ...this.#cost, slots: NO_SLOTS }, this.#now)
    return this.#violations
  }

  get retryAfterNs(): bigint | null {
    return longestWait(this.violations.map(({ retryAfterNs }) => retryAfterNs))
  }
}
