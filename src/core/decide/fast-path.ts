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
import type { BucketPlan, Plans } from '../resolve/bucket-plan.ts'
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
export interface HotPath {
  /** undefined: the table is to be asked. `cost` is checked. */
  decide(known: Plans, cost: Cost, settles: boolean): Decision | undefined
  /** Whether `cost` fits no state of a bucket, or a remembered denial holds for it. Counts nothing. */
  denies(known: Plans, cost: Cost): boolean
}

export interface HotPathDependencies extends SettlingDependencies {
  readonly writer: BucketWriter
  readonly charger: Charger
  readonly leases: Leases
  readonly clock: Clock
  readonly tally: Tally
}

/** A request, at the moment of its decision. */
interface Asked {
  readonly hots: HotPlans
  readonly cost: Cost
  readonly now: bigint
  readonly steadyNs: bigint
}

export const createHotPath = (deps: HotPathDependencies): HotPath => {
  const { clock } = deps
  const hotPlansOf = createHotPlans(deps)
  return {
    decide(known, cost, settles) {
      const asked = { hots: hotPlansOf(known), cost, now: clock.now(), steadyNs: clock.monotonic() }
      const paid = payersOf(asked)
      if (paid === undefined) return repeatDenial(deps, asked)
      return paid.length > 0 ? allow(deps, asked, paid, settles) : undefined
    },
    denies(known, cost) {
      if (known.plans.some((plan) => neverFits(plan, cost))) return true
      if (!deps.leases.isOn) return false
      const asked = { hots: hotPlansOf(known), cost, now: clock.now(), steadyNs: clock.monotonic() }
      return asked.hots.plans.some((hot) => isDeniedBy(deps.writer, hot, asked))
    },
  }
}

/** The lease that pays for each bucket; none for those that the cost does not touch. undefined: one is not paid for. */
const payersOf = ({ hots, cost, now, steadyNs }: Asked): readonly (Lease | undefined)[] | undefined => {
  const paid: (Lease | undefined)[] = []
  for (const hot of hots.plans) {
    const lease = hot.touches(cost) ? payingLease(hot.slot(), cost, now, steadyNs) : undefined
    if (lease === undefined && hot.touches(cost)) return undefined
    paid.push(lease)
  }
  return paid.some((lease) => lease !== undefined) ? paid : []
}

const allow = (
  deps: HotPathDependencies,
  { hots, cost, now, steadyNs }: Asked,
  paid: readonly (Lease | undefined)[],
  settles: boolean,
): Decision => {
  hots.plans.forEach((hot, at) => {
    const lease = paid[at]
    if (lease) {
      noteDemand(hot.slot(), cost, steadyNs)
      spend(lease, cost)
      if (isDue(lease, steadyNs)) deps.charger.renew(hot.plan, lease)
    }
    if (!settles) hot.countUse(cost, steadyNs)
  })
  deps.metrics.count('decisions_allowed')
  return new LeasedDecision(deps, hots.look, paid, cost, settles, now, steadyNs)
}

const repeatDenial = (deps: HotPathDependencies, asked: Asked): Decision | undefined => {
  const { hots, cost, now, steadyNs } = asked
  const by = hots.plans.find((hot) => isDeniedBy(deps.writer, hot, asked))
  const denial = by?.slot().denial
  if (by === undefined || denial === undefined) return undefined
  hots.plans.find(({ plan }) => plan.isOwn)?.countDenials(['denied'], steadyNs)
  by.countDenials(denial.counters, steadyNs)
  deps.metrics.count('decisions_denied')
  const { limits, item } = denial
  const view: BucketView = { plan: by.plan, limits, item, held: deps.leases.heldOf(by.slot()) }
  return new RememberedDenial(hots.look, view, cost, now)
}

const isDeniedBy = (writer: BucketWriter, hot: HotPlan, { cost, now, steadyNs }: Asked): boolean => {
  const { denial } = hot.slot()
  return denial !== undefined && denies(denial, writer.lastSeenAt(hot.key), cost, now, steadyNs)
}

/** One bucket of a request, with all that was looked up for it before. */
export interface HotPlan {
  readonly plan: BucketPlan
  readonly key: string
  slot(): Slot
  /** Whether a limit counts a meter of the cost. */
  touches(cost: Cost): boolean
  countUse(cost: Cost, steadyNs: bigint): void
  /** Adds one to each counter. */
  countDenials(names: readonly string[], steadyNs: bigint): void
}

export interface HotPlans {
  readonly plans: readonly HotPlan[]
  /** Every bucket as this process sees it now. */
  look(): readonly BucketView[]
}

interface HotPlansDependencies {
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
export const createHotPlans = (deps: HotPlansDependencies): ((plans: Plans) => HotPlans) => {
  const known = new WeakMap<Plans, HotPlans>()
  return (plans) => {
    const before = known.get(plans)
    if (before !== undefined) return before
    const made = hotPlans(deps, plans)
    known.set(plans, made)
    return made
  }
}

const hotPlans = (deps: HotPlansDependencies, { plans }: Plans): HotPlans => {
  const hots = plans.map((plan) => hotPlan(deps, plan))
  return {
    plans: hots,
    look: () =>
      hots.map(({ plan, key, slot }) => ({
        plan,
        limits: plan.limits,
        item: deps.writer.lastSeenAt(key),
        held: deps.leases.heldOf(slot()),
      })),
  }
}

const hotPlan = ({ leases, clock, tally }: HotPlansDependencies, plan: BucketPlan): HotPlan => {
  const meters = [...new Set(plan.limits.map(({ limit }) => limit.meter))]
  const isUsageMade = plan.bucket.kind === 'entity'
  let slot = leases.slotOf(plan.bucket, plan.limits)
  let waiting = tally.waitingOf(plan.bucket, clock.monotonic())
  const counts = (steadyNs: bigint) => {
    if (waiting.isTaken) waiting = tally.waitingOf(plan.bucket, steadyNs)
    return waiting.counts
  }
  return {
    plan,
    key: bucketKey(plan.bucket),
    slot() {
      if (slot.isGone) slot = leases.slotOf(plan.bucket, plan.limits)
      return slot
    },
    touches(cost) {
      for (const meter of meters) if (cost[meter] !== undefined) return true
      return false
    },
    countUse(cost, steadyNs) {
      const into = counts(steadyNs)
      for (const meter of METERS) {
        const amount = cost[meter]
        if (amount !== undefined && amount > 0) into[USED[meter]] = plus(into[USED[meter]] ?? 0, amount)
      }
      if (isUsageMade) waiting.useSinceNs ??= steadyNs
    },
    countDenials(names, steadyNs) {
      const into = counts(steadyNs)
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
