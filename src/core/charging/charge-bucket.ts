import { fieldsOf } from '../algorithms/algorithm.ts'
import type { BucketId } from '../bucket/bucket-id.ts'
import type { Action, BucketItem, ConditionalWrite } from '../bucket/conditional-write.ts'
import type { LimitInForce } from '../bucket/limit-in-force.ts'
import { type Demand, demandsOf, planCharge, planTakeOver } from '../bucket/plan-charge.ts'
import type { Cost } from '../limit/meter.ts'
import type { BucketWriter } from './bucket-writer.ts'
import { asInTheBucket, changesIn, decidedByTheBucket } from './changed-limits.ts'

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

/** Writes beside one for each limit that may have gone from idle to busy since it was last seen. */
const SPARE_WRITES = 2

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
  let writesLeft = order.limits.length + SPARE_WRITES
  for (;;) {
    const step = nextStep(order, knowledge, writesLeft)
    const { limits } = step
    if (step.to === 'denied' || step.to === 'contended')
      return { result: step.to, item: knowledge.seen, limits }
    if (step.to === 'reread') {
      knowledge = { ...knowledge, limits: await order.reread(), isReread: true }
      continue
    }
    writesLeft--
    const outcome = await writer.write(order.bucket, step.write)
    if (outcome.applied && step.to === 'charge') return { result: 'charged', item: outcome.item, limits }
    knowledge = { ...knowledge, seen: outcome.item, isCurrent: true }
  }
}

interface Knowledge {
  readonly seen: BucketItem | undefined
  /** Whether `seen` was returned within this decision; only then may it deny. */
  readonly isCurrent: boolean
  readonly limits: readonly LimitInForce[]
  readonly isReread: boolean
}

interface StepTo<To extends string> {
  readonly to: To
  readonly limits: readonly LimitInForce[]
}

type Step =
  | StepTo<'denied'>
  | StepTo<'contended'>
  | StepTo<'reread'>
  | (StepTo<'charge' | 'take over'> & { readonly write: ConditionalWrite })

const nextStep = (order: ChargeOrder, knowledge: Knowledge, writesLeft: number): Step => {
  const { seen, isReread, limits: known } = knowledge
  const { isLater, takeOvers } = changesIn(seen, known, order.now, isReread)
  if (isLater && !isReread) return { to: 'reread', limits: known }
  const limits = isLater ? decidedByTheBucket(seen, known, order.now) : known
  const demands = demandsOf(limits, order.cost)
  if (!demands.every(fitsAtAll)) return { to: 'denied', limits }
  if (seen && takeOvers.length > 0) {
    return writesLeft > 1
      ? { to: 'take over', limits, write: planTakeOver(seen, takeOvers, order.now) }
      : chargeByTheBucket(order, seen, known, writesLeft)
  }
  if (isSurelyTooMuch(knowledge, demands, order.now)) return { to: 'denied', limits }
  if (writesLeft === 0) return { to: 'contended', limits }
  return { to: 'charge', limits, write: planCharge(seen, demands, order.now, order.counters) }
}

/**
 * A compare-and-set loses to every other write, so that nodes which do not know of a change could keep it out for as long
 * as they are busy. What then fits the limit as the bucket has it is charged by that one, as they do; but it denies nothing.
 */
const chargeByTheBucket = (
  { cost, now, counters }: ChargeOrder,
  seen: BucketItem,
  known: readonly LimitInForce[],
  writesLeft: number,
): Step => {
  const limits = asInTheBucket(seen, known)
  const demands = demandsOf(limits, cost)
  const fits = demands.every((demand) => fitsAtAll(demand) && waitFor(seen, demand, now) === 0n)
  return fits && writesLeft > 0
    ? { to: 'charge', limits, write: planCharge(seen, demands, now, counters) }
    : { to: 'contended', limits: known }
}

const isSurelyTooMuch = ({ seen, isCurrent }: Knowledge, demands: readonly Demand[], now: bigint): boolean =>
  seen !== undefined && isCurrent && demands.some((demand) => waitFor(seen, demand, now) > 0n)

const fitsAtAll = ({ inForce, amount }: Demand): boolean => amount <= inForce.algorithm.capacity

/** ns until the demand passes in the state `seen`. */
const waitFor = (seen: BucketItem, { inForce, amount }: Demand, now: bigint): bigint =>
  inForce.algorithm.wait(fieldsOf(seen, inForce.limit.name), amount, now)
