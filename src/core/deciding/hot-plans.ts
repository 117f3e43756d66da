import { bucketKey } from '../bucket/bucket-id.ts'
import type { BucketWriter } from '../charging/bucket-writer.ts'
import { plus, type Tally } from '../counting/tally.ts'
import type { Leases } from '../leasing/leases.ts'
import type { Slot } from '../leasing/slot.ts'
import { type Cost, METERS, type Meter } from '../limit/meter.ts'
import type { Clock } from '../ports/clock.ts'
import type { BucketPlan, Plans } from '../resolving/bucket-plan.ts'
import type { BucketView } from './limit-states.ts'

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
