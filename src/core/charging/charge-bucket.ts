import { fieldsOf } from '../algorithms/algorithm.ts'
import type { BucketId } from '../bucket/bucket-id.ts'
import type { Action, BucketItem, ConditionalWrite } from '../bucket/conditional-write.ts'
import type { LimitInForce } from '../bucket/limit-in-force.ts'
import { type Demand, demandsOf, planCharge, planTakeOver } from '../bucket/plan-charge.ts'
import type { Cost } from '../limit/meter.ts'
import type { BucketWriter } from './bucket-writer.ts'
import { changesIn, decidedByTheBucket } from './changed-limits.ts'

/** What to charge on one bucket. */
export interface ChargeOrder {
  readonly bucket: BucketId
  readonly limits: readonly LimitInForce[]
  readonly cost: Cost
  /** The moment of the decision, ns since the epoch: the same for all attempts. */
  readonly now: bigint
  /** Counters that go along with the charge. */
  readonly counters: readonly Action[]
  /** The limits read anew, asked for at most once: the bucket knows a later change than `limits`. */
  reread(): Promise<readonly LimitInForce[]>
}

/**
 * charged: `item` is the state right after it. denied: `item` is the state that denied it, undefined where the cost fits no
 * state. contended: others were faster each time. Only `charged` has charged anything. `limits` are those decided by.
 */
export interface ChargeOutcome {
  readonly result: 'charged' | 'denied' | 'contended'
  readonly item: BucketItem | undefined
  readonly limits: readonly LimitInForce[]
}

/** Beside one attempt for each limit that may have gone from idle to busy since it was last seen. */
const SPARE_ATTEMPTS = 2

/**
 * Charges one bucket: nearly always one write. What this node last saw picks its variants; a write that fails returns the
 * state, from which either the denial or the right variants follow. Bounded, so it never loops under contention.
 * Throws `StoreUnavailable`.
 */
export const chargeBucket = async (writer: BucketWriter, order: ChargeOrder): Promise<ChargeOutcome> => {
  let knowledge: Knowledge = {
    seen: writer.lastSeen(order.bucket),
    isCurrent: false,
    limits: order.limits,
    isReread: false,
  }
  for (let left = order.limits.length + SPARE_ATTEMPTS; left > 0; left--) {
    const step = nextStep(order, knowledge)
    const { limits } = step
    if (step.to === 'deny') return { result: 'denied', item: knowledge.seen, limits }
    if (step.to === 'reread') {
      knowledge = { ...knowledge, limits: await order.reread(), isReread: true }
      continue
    }
    const outcome = await writer.write(order.bucket, step.write)
    if (outcome.applied && step.to === 'charge') return { result: 'charged', item: outcome.item, limits }
    knowledge = { ...knowledge, seen: outcome.item, isCurrent: true }
  }
  return { result: 'contended', item: knowledge.seen, limits: knowledge.limits }
}

interface Knowledge {
  readonly seen: BucketItem | undefined
  /** Whether `seen` was returned within this decision; only then may it deny. */
  readonly isCurrent: boolean
  readonly limits: readonly LimitInForce[]
  readonly isReread: boolean
}

type Step =
  | { readonly to: 'deny'; readonly limits: readonly LimitInForce[] }
  | { readonly to: 'reread'; readonly limits: readonly LimitInForce[] }
  | {
      readonly to: 'charge' | 'take over'
      readonly limits: readonly LimitInForce[]
      readonly write: ConditionalWrite
    }

const nextStep = (order: ChargeOrder, { seen, isCurrent, isReread, limits: known }: Knowledge): Step => {
  const { isLater, takeOvers } = changesIn(seen, known, order.now)
  if (isLater && !isReread) return { to: 'reread', limits: known }
  const limits = isLater ? decidedByTheBucket(seen, known, order.now) : known
  const demands = demandsOf(limits, order.cost)
  if (!demands.every(fitsAtAll)) return { to: 'deny', limits }
  if (seen && takeOvers.length > 0)
    return { to: 'take over', limits, write: planTakeOver(seen, takeOvers, order.now) }
  if (seen && isCurrent && demands.some((demand) => waitFor(seen, demand, order.now) > 0n))
    return { to: 'deny', limits }
  return { to: 'charge', limits, write: planCharge(seen, demands, order.now, order.counters) }
}

const fitsAtAll = ({ inForce, amount }: Demand): boolean => amount <= inForce.algorithm.capacity

/** ns until the demand passes in the state `seen`. */
const waitFor = (seen: BucketItem, { inForce, amount }: Demand, now: bigint): bigint =>
  inForce.algorithm.wait(fieldsOf(seen, inForce.limit.name), amount, now)
