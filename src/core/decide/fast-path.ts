import { bucketKey } from '../bucket/bucket-store.ts'
import { receiptFor, uncharged } from '../bucket/receipt.ts'
import type { Charger } from '../charge/batch.ts'
import type { BucketWriter } from '../charge/bucket-writer.ts'
import { plus, type Tally } from '../charge/counters.ts'
import { denies } from '../charge/denial.ts'
import { isDue, type Lease, noteDemand, payingLease, type Slot, spend } from '../charge/lease.ts'
import type { Leases } from '../charge/leases.ts'
import { type Cost, METERS, type Meter } from '../model/meter.ts'
import type { Clock } from '../ports/platform.ts'
import type { ApplicableBucket, Resolution } from '../resolve/resolution.ts'
import type { Allowed, Decision, Denied, LimitState, Reservation, Violation } from './decision.ts'
import {
  type BucketView,
  type ChargedPart,
  limitStates,
  longestWait,
  neverFits,
  violationsOf,
} from './limit-state.ts'
import { createReservation, type SettlingDependencies, settledReservation } from './reservation.ts'

/** Decides what needs no write: requests that leases pay for, and repeats of a denial. */
export interface FastPath {
  /** undefined: the table is to be asked. `cost` is checked. */
  decide(known: Resolution, cost: Cost, settles: boolean): Decision | undefined
  /** Whether `cost` fits no state of a bucket, or a remembered denial holds for it. Counts nothing. */
  denies(known: Resolution, cost: Cost): boolean
}

export interface FastPathDependencies extends SettlingDependencies {
  readonly writer: BucketWriter
  readonly charger: Charger
  readonly leases: Leases
  readonly clock: Clock
  readonly tally: Tally
}

/** A request, at the moment of its decision. */
interface FastRequest {
  readonly prepared: PreparedBuckets
  readonly cost: Cost
  readonly now: bigint
  readonly monotonicNs: bigint
}

export const createFastPath = (deps: FastPathDependencies): FastPath => {
  const { clock } = deps
  const preparedOf = createPreparedBuckets(deps)
  return {
    decide(known, cost, settles) {
      const asked = { prepared: preparedOf(known), cost, now: clock.now(), monotonicNs: clock.monotonic() }
      const paid = payersOf(asked)
      if (paid === undefined) return repeatDenial(deps, asked)
      return paid.length > 0 ? allow(deps, asked, paid, settles) : undefined
    },
    denies(known, cost) {
      if (known.buckets.some((plan) => neverFits(plan, cost))) return true
      if (!deps.leases.isOn) return false
      const asked = { prepared: preparedOf(known), cost, now: clock.now(), monotonicNs: clock.monotonic() }
      return asked.prepared.buckets.some((bucket) => isDeniedBy(deps.writer, bucket, asked))
    },
  }
}

/** The lease that pays for each bucket; none for those that the cost does not touch. undefined: one is not paid for. */
const payersOf = ({
  prepared,
  cost,
  now,
  monotonicNs,
}: FastRequest): readonly (Lease | undefined)[] | undefined => {
  const paid: (Lease | undefined)[] = []
  for (const bucket of prepared.buckets) {
    const lease = bucket.touches(cost) ? payingLease(bucket.slot(), cost, now, monotonicNs) : undefined
    if (lease === undefined && bucket.touches(cost)) return undefined
    paid.push(lease)
  }
  return paid.some((lease) => lease !== undefined) ? paid : []
}

const allow = (
  deps: FastPathDependencies,
  { prepared, cost, now, monotonicNs }: FastRequest,
  paid: readonly (Lease | undefined)[],
  settles: boolean,
): Decision => {
  prepared.buckets.forEach((bucket, at) => {
    const lease = paid[at]
    if (lease) {
      noteDemand(bucket.slot(), cost, monotonicNs)
      spend(lease, cost)
      if (isDue(lease, monotonicNs))
        deps.charger.renew({ bucket: bucket.bucket.id, limits: bucket.bucket.limits }, lease)
    }
    if (!settles) bucket.countUse(cost, monotonicNs)
  })
  deps.metrics.count('decisions_allowed')
  return new LeasedDecision(deps, prepared.look, paid, cost, settles, now, monotonicNs)
}

const repeatDenial = (deps: FastPathDependencies, asked: FastRequest): Decision | undefined => {
  const { prepared, cost, now, monotonicNs } = asked
  const by = prepared.buckets.find((bucket) => isDeniedBy(deps.writer, bucket, asked))
  const denial = by?.slot().denial
  if (by === undefined || denial === undefined) return undefined
  prepared.buckets.find(({ bucket: plan }) => plan.isOwn)?.countDenials(['denied'], monotonicNs)
  by.countDenials(denial.counters, monotonicNs)
  deps.metrics.count('decisions_denied')
  const { limits, item } = denial
  const view: BucketView = { bucket: by.bucket, limits, item, held: deps.leases.heldOf(by.slot()) }
  return new RememberedDenial(prepared.look, view, cost, now)
}

const isDeniedBy = (
  writer: BucketWriter,
  bucket: PreparedBucket,
  { cost, now, monotonicNs }: FastRequest,
): boolean => {
  const { denial } = bucket.slot()
  return denial !== undefined && denies(denial, writer.cachedAt(bucket.key), cost, now, monotonicNs)
}

/** One bucket of a request, with all that was looked up for it before. */
export interface PreparedBucket {
  readonly bucket: ApplicableBucket
  readonly key: string
  slot(): Slot
  /** Whether a limit counts a meter of the cost. */
  touches(cost: Cost): boolean
  countUse(cost: Cost, monotonicNs: bigint): void
  /** Adds one to each counter. */
  countDenials(names: readonly string[], monotonicNs: bigint): void
}

export interface PreparedBuckets {
  readonly buckets: readonly PreparedBucket[]
  /** Every bucket as this process sees it now. */
  look(): readonly BucketView[]
}

interface PreparedBucketsDependencies {
  readonly writer: BucketWriter
  readonly leases: Leases
  readonly clock: Clock
  readonly tally: Tally
}

const USED: Readonly<Record<Meter, string>> = {
  requests: 'used_requests',
  tokens: 'used_tokens',
  input_tokens: 'used_input_tokens',
  output_tokens: 'used_output_tokens',
  cost_usd_micros: 'used_cost_usd_micros',
}

/** Looks a request's buckets up once, for as long as the same plans are handed in. */
export const createPreparedBuckets = (
  deps: PreparedBucketsDependencies,
): ((plans: Resolution) => PreparedBuckets) => {
  const known = new WeakMap<Resolution, PreparedBuckets>()
  return (plans) => {
    const before = known.get(plans)
    if (before !== undefined) return before
    const made = preparedBuckets(deps, plans)
    known.set(plans, made)
    return made
  }
}

const preparedBuckets = (
  deps: PreparedBucketsDependencies,
  { buckets: plans }: Resolution,
): PreparedBuckets => {
  const prepared = plans.map((plan) => preparedBucket(deps, plan))
  return {
    buckets: prepared,
    look: () =>
      prepared.map(({ bucket, key, slot }) => ({
        bucket,
        limits: bucket.limits,
        item: deps.writer.cachedAt(key),
        held: deps.leases.heldOf(slot()),
      })),
  }
}

const preparedBucket = (
  { leases, clock, tally }: PreparedBucketsDependencies,
  plan: ApplicableBucket,
): PreparedBucket => {
  const meters = [...new Set(plan.limits.map(({ limit }) => limit.meter))]
  const isUsageMade = plan.id.kind === 'entity'
  let slot = leases.slotOf(plan.id, plan.limits)
  let waiting = tally.waitingOf(plan.id, clock.monotonic())
  const counts = (monotonicNs: bigint) => {
    if (waiting.isTaken) waiting = tally.waitingOf(plan.id, monotonicNs)
    return waiting.counts
  }
  return {
    bucket: plan,
    key: bucketKey(plan.id),
    slot() {
      if (slot.isGone) slot = leases.slotOf(plan.id, plan.limits)
      return slot
    },
    touches(cost) {
      for (const meter of meters) if (cost[meter] !== undefined) return true
      return false
    },
    countUse(cost, monotonicNs) {
      const into = counts(monotonicNs)
      for (const meter of METERS) {
        const amount = cost[meter]
        if (amount !== undefined && amount > 0) into[USED[meter]] = plus(into[USED[meter]] ?? 0, amount)
      }
      if (isUsageMade) waiting.useSinceNs ??= monotonicNs
    },
    countDenials(names, monotonicNs) {
      const into = counts(monotonicNs)
      for (const name of names) into[name] = plus(into[name] ?? 0, 1)
    },
  }
}

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
          receipt: uncharged({ bucket: view.bucket.id, limits: view.limits }, this.#cost, this.#now),
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
      limitStates(view.bucket === this.#by.bucket ? this.#by : view, this.#now),
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
