import type { BucketId } from '../bucket/bucket-store.ts'
import { asInTheBucket, changesIn, decidedByTheBucket, planTakeOver } from '../bucket/carry-over.ts'
import { type Demand, demandsOf, fitsAtAll, planCharge, waitFor } from '../bucket/charge-plan.ts'
import type { LimitInForce } from '../bucket/limit-in-force.ts'
import type { Action, BucketItem, ConditionalWrite } from '../bucket/write.ts'
import { isEnforced } from '../model/limit.ts'
import type { Cost } from '../model/meter.ts'
import type { BucketWriter } from './bucket-writer.ts'

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
  /** Names of limits that only warn, and were found exceeded: they were not charged. */
  readonly over: readonly string[]
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
      return { result: step.to, item: knowledge.seen, limits, over: [] }
    if (step.to === 'reread') {
      knowledge = { ...knowledge, limits: await order.reread(), isReread: true }
      continue
    }
    writesLeft--
    const outcome = await writer.write(order.bucket, step.write)
    if (outcome.applied && step.to === 'charge')
      return { result: 'charged', item: outcome.item, limits, over: step.over }
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
  | (StepTo<'charge' | 'take over'> & { readonly write: ConditionalWrite; readonly over: readonly string[] })

const nextStep = (order: ChargeOrder, knowledge: Knowledge, writesLeft: number): Step => {
  const { seen, isReread, limits: known } = knowledge
  const { isLater, takeOvers } = changesIn(seen, known, order.now, isReread)
  if (isLater && !isReread) return { to: 'reread', limits: known }
  const limits = isLater ? decidedByTheBucket(seen, known, order.now) : known
  const demands = demandsOf(limits, order.cost)
  if (!demands.filter(isBinding).every(fitsAtAll)) return { to: 'denied', limits }
  if (seen && takeOvers.length > 0) {
    return writesLeft > 1
      ? { to: 'take over', limits, write: planTakeOver(seen, takeOvers, order.now), over: [] }
      : chargeByTheBucket(order, seen, known, writesLeft)
  }
  if (isSurelyTooMuch(knowledge, demands, order.now)) return { to: 'denied', limits }
  if (writesLeft === 0) return { to: 'contended', limits }
  return chargeStep(order, seen, limits, demands)
}

/** Limits that only warn are charged where they are thought to have room. */
const chargeStep = (
  { now, counters }: ChargeOrder,
  seen: BucketItem | undefined,
  limits: readonly LimitInForce[],
  demands: readonly Demand[],
): Step => {
  const planned = demands.map((demand) =>
    isBinding(demand) ? demand : { ...demand, isOver: isExceeded(seen, demand, now) },
  )
  const over = planned.flatMap(({ isOver, inForce }) => (isOver ? [inForce.limit.name] : []))
  return { to: 'charge', limits, write: planCharge(seen, planned, now, counters), over }
}

/**
 * A compare-and-set loses to every other write, so that nodes which do not know of a change could keep it out for as long
 * as they are busy. What then fits the limit as the bucket has it is charged by that one, as they do; but it denies nothing.
 */
const chargeByTheBucket = (
  order: ChargeOrder,
  seen: BucketItem,
  known: readonly LimitInForce[],
  writesLeft: number,
): Step => {
  const limits = asInTheBucket(seen, known)
  const demands = demandsOf(limits, order.cost)
  const fits = !demands.some((demand) => isBinding(demand) && isExceeded(seen, demand, order.now))
  return fits && writesLeft > 0
    ? chargeStep(order, seen, limits, demands)
    : { to: 'contended', limits: known }
}

const isSurelyTooMuch = ({ seen, isCurrent }: Knowledge, demands: readonly Demand[], now: bigint): boolean =>
  seen !== undefined &&
  isCurrent &&
  demands.some((demand) => isBinding(demand) && isExceeded(seen, demand, now))

const isBinding = ({ inForce }: Demand): boolean => isEnforced(inForce.limit)

const isExceeded = (seen: BucketItem | undefined, demand: Demand, now: bigint): boolean =>
  !fitsAtAll(demand) || (seen !== undefined && waitFor(seen, demand, now) > 0n)
