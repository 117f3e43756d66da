import { receiptFor, uncharged } from '../charging/receipt-of.ts'
import type { Lease } from '../leasing/lease.ts'
import type { Cost } from '../limit/meter.ts'
import type { ChargedPart } from './charge-plan.ts'
import type { Allowed, Denied, LimitState, Reservation, Violation } from './decision.ts'
import { type BucketView, limitStates, longestWait, violationsOf } from './limit-states.ts'
import { createReservation, type SettlingDependencies, settledReservation } from './reservation.ts'

/*
 * Decisions that were made in memory, a few microseconds each: what they tell is worked out when it is looked at. Classes, as
 * an object with closures of its own takes longer to make than the decision (docs/decisions/026).
 */

const NONE: readonly Violation[] = []

export class LeasedDecision implements Allowed {
  readonly allowed = true
  readonly degraded = false
  readonly reported = NONE
  readonly #deps: SettlingDependencies
  readonly #look: () => readonly BucketView[]
  readonly #paid: readonly (Lease | undefined)[]
  readonly #cost: Cost
  readonly #now: bigint
  readonly #startedNs: bigint
  #reservation: Reservation | undefined
  #limits: readonly LimitState[] | undefined

  /** `paid`: the lease that paid for each bucket of `look()`, in its order. Times as of the decision. */
  constructor(
    deps: SettlingDependencies,
    look: () => readonly BucketView[],
    paid: readonly (Lease | undefined)[],
    cost: Cost,
    settles: boolean,
    now: bigint,
    startedNs: bigint,
  ) {
    this.#deps = deps
    this.#look = look
    this.#paid = paid
    this.#cost = cost
    this.#now = now
    this.#startedNs = startedNs
    this.#reservation = settles ? undefined : settledReservation
  }

  get limits(): readonly LimitState[] {
    this.#limits ??= this.#look().flatMap((view) => limitStates(view, this.#now))
    return this.#limits
  }

  get reservation(): Reservation {
    this.#reservation ??= createReservation(this.#deps, this.#parts(), this.#cost, this.#startedNs)
    return this.#reservation
  }

  #parts(): readonly ChargedPart[] {
    return this.#look().map((view, at): ChargedPart => {
      const lease = this.#paid[at]
      if (!lease)
        return {
          view,
          reported: NONE,
          result: 'untouched',
          receipt: uncharged(view.plan, this.#cost, this.#now),
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
  readonly #look: () => readonly BucketView[]
  readonly #by: BucketView
  readonly #cost: Cost
  readonly #now: bigint
  #limits: readonly LimitState[] | undefined
  #violations: readonly Violation[] | undefined

  /** `by`: the bucket that denied, as it was then. */
  constructor(look: () => readonly BucketView[], by: BucketView, cost: Cost, now: bigint) {
    this.#look = look
    this.#by = by
    this.#cost = cost
    this.#now = now
  }

  get limits(): readonly LimitState[] {
    this.#limits ??= this.#look().flatMap((view) =>
      limitStates(view.plan === this.#by.plan ? this.#by : view, this.#now),
    )
    return this.#limits
  }

  get violations(): readonly Violation[] {
    this.#violations ??= violationsOf(this.#by, this.#cost, this.#now)
    return this.#violations
  }

  get retryAfterNs(): bigint | null {
    return longestWait(this.violations.map(({ retryAfterNs }) => retryAfterNs))
  }
}
