import type { BucketWriter } from '../charging/bucket-writer.ts'
import type { Charger } from '../charging/shared-charges.ts'
import type { Tally } from '../counting/tally.ts'
import { denies } from '../leasing/denial.ts'
import { isDue, type Lease, spend } from '../leasing/lease.ts'
import type { Leases } from '../leasing/leases.ts'
import { noteDemand, payingLease } from '../leasing/slot.ts'
import type { Cost } from '../limit/meter.ts'
import type { Clock } from '../ports/clock.ts'
import type { Plans } from '../resolving/bucket-plan.ts'
import type { Decision } from './decision.ts'
import { createHotPlans, type HotPlan, type HotPlans } from './hot-plans.ts'
import { LeasedDecision, RememberedDenial } from './lazy-decision.ts'
import { type BucketView, neverFits } from './limit-states.ts'
import type { SettlingDependencies } from './reservation.ts'

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
