import { receiptFor, uncharged } from '../bucket/receipt.ts'
import { covers, type Lease, replacePaid } from '../charge/lease.ts'
import type { ReservedCharges } from '../charge/reservation-store.ts'
import { type SettlingDependencies, usageOf } from '../charge/settle.ts'
import { type Cost, NO_SLOTS } from '../model/meter.ts'
import { type Instant, instantOf, type Moment, momentOf } from '../ports/platform.ts'
import type { Eventual } from '../ports/when-ready.ts'
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
    this.#reservation ??= new LeasedReservation(this.#deps, this.#first, this.#paid, this.#cost, this.#moment)
    return this.#reservation
  }
}

type Linked = PreparedBucket | undefined

/**
 * The charges that leases paid. A settlement that they cover changes only their remaining tokens; only another one needs receipts,
 * which take longer to create than the decision.
 */
class LeasedReservation implements Reservation {
  readonly #deps: SettlingDependencies
  readonly #first: PreparedBucket
  readonly #paid: readonly (Lease | undefined)[]
  readonly #cost: Cost
  readonly #moment: Moment
  #isSettled = false
  #withReceipts: Reservation | undefined

  constructor(
    deps: SettlingDependencies,
    first: PreparedBucket,
    paid: readonly (Lease | undefined)[],
    cost: Cost,
    moment: Moment,
  ) {
    this.#deps = deps
    this.#first = first
    this.#paid = paid
    this.#cost = cost
    this.#moment = moment
  }

  get charges(): ReservedCharges {
    return this.#receipts().charges
  }

  settle(actual: Cost): Eventual<void> {
    if (this.#isSettled) return undefined
    this.#isSettled = this.#withReceipts === undefined && this.#settleByLeases(actual)
    return this.#isSettled ? undefined : this.#receipts().settle(actual)
  }

  release(): Eventual<void> {
    return this.#isSettled ? undefined : this.#receipts().release()
  }

  /** False, and nothing changed, if some bucket must be written. As `settleWithinLeases`, without receipts. */
  #settleByLeases(actual: Cost): boolean {
    const moment = momentOf(this.#deps.clock)
    const used = usageOf(this.#cost, actual)
    if (!this.#isCovered(used, instantOf(moment))) return false
    let at = 0
    for (let bucket: Linked = this.#first; bucket !== undefined; bucket = bucket.next) {
      const lease = this.#paid[at++]
      if (lease) replacePaid(lease, this.#cost, used)
      bucket.countUse(used, moment.monotonic)
    }
    return true
  }

  #isCovered(used: Cost, instant: Instant): boolean {
    let at = 0
    for (let bucket: Linked = this.#first; bucket !== undefined; bucket = bucket.next) {
      const lease = this.#paid[at++]
      if (lease ? !covers(lease, this.#cost, used, instant) : bucket.touches(used)) return false
    }
    return true
  }

  #receipts(): Reservation {
    this.#withReceipts ??= createReservation(this.#deps, this.#parts(), this.#cost, this.#moment.monotonic)
    return this.#withReceipts
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
