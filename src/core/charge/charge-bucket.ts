import type { BucketId } from '../bucket/bucket-store.ts'
import { asStored, changesIn, planCarryOver, preferStored } from '../bucket/carry-over.ts'
import { fitsAtAll, type LimitCharge, limitChargesOf, planCharge, waitNsOf } from '../bucket/charge-plan.ts'
import type { EffectiveLimit } from '../bucket/effective-limit.ts'
import type { Action, BucketItem, ConditionalWrite } from '../bucket/write.ts'
import { isEnforced } from '../model/limit.ts'
import type { Cost } from '../model/meter.ts'
import type { BucketWriter } from './bucket-writer.ts'

/** What to charge on one bucket. */
export interface ChargeOrder {
  readonly bucket: BucketId
  readonly limits: readonly EffectiveLimit[]
  readonly cost: Cost
  /** The moment of the decision, ns since the epoch: the same for all attempts. */
  readonly now: bigint
  /** Counters that go along with the charge. */
  readonly counters: readonly Action[]
  /** The limits read anew, asked for at most once: the bucket knows a later change than `limits`. */
  reread(): Promise<readonly EffectiveLimit[]>
}

/**
 * charged: `item` is the state right after it. denied: `item` is the state that denied it, undefined where the cost fits no
 * state. contended: others were faster each time. Only `charged` has charged anything. `limits` are those decided by.
 */
export interface ChargeOutcome {
  readonly result: 'charged' | 'denied' | 'contended'
  readonly item: BucketItem | undefined
  readonly limits: readonly EffectiveLimit[]
  /** Names of limits that only warn, and were found exceeded: they were not charged. */
  readonly exceeded: readonly string[]
}

/** Writes beside one for each limit that may have gone from idle to busy since it was last snapshot. */
const SPARE_WRITES = 2

/**
 * Charges one bucket: nearly always one write. What this node last saw picks its variants; a write that fails returns the
 * state, from which either the denial or the right variants follow. Bounded, so it never loops under contention.
 * Throws `StoreUnavailable`.
 */
export const chargeBucket = async (writer: BucketWriter, order: ChargeOrder): Promise<ChargeOutcome> => {
  let knowledge: Knowledge = {
    snapshot: writer.cached(order.bucket),
    isCurrent: false,
    limits: order.limits,
    isReread: false,
  }
  let writesLeft = order.limits.length + SPARE_WRITES
  for (;;) {
    const step = nextStep(order, knowledge, writesLeft)
    const { limits } = step
    if (step.to === 'denied' || step.to === 'contended')
      return { result: step.to, item: knowledge.snapshot, limits, exceeded: [] }
    if (step.to === 'reread') {
      knowledge = { ...knowledge, limits: await order.reread(), isReread: true }
      continue
    }
    writesLeft--
    const outcome = await writer.write(order.bucket, step.write)
    if (outcome.applied && step.to === 'charge')
      return { result: 'charged', item: outcome.item, limits, exceeded: step.over }
    knowledge = { ...knowledge, snapshot: outcome.item, isCurrent: true }
  }
}

interface Knowledge {
  readonly snapshot: BucketItem | undefined
  /** Whether `seen` was returned within this decision; only then may it deny. */
  readonly isCurrent: boolean
  readonly limits: readonly EffectiveLimit[]
  readonly isReread: boolean
}

interface StepTo<To extends string> {
  readonly to: To
  readonly limits: readonly EffectiveLimit[]
}

type Step =
  | StepTo<'denied'>
  | StepTo<'contended'>
  | StepTo<'reread'>
  | (StepTo<'charge' | 'carry over'> & { readonly write: ConditionalWrite; readonly over: readonly string[] })

const nextStep = (order: ChargeOrder, knowledge: Knowledge, writesLeft: number): Step => {
  const { snapshot, isReread, limits: known } = knowledge
  const { isLater, carryOvers } = changesIn(snapshot, known, order.now, isReread)
  if (isLater && !isReread) return { to: 'reread', limits: known }
  const limits = isLater ? preferStored(snapshot, known, order.now) : known
  const charges = limitChargesOf(limits, order.cost)
  if (!charges.filter(isBinding).every(fitsAtAll)) return { to: 'denied', limits }
  if (snapshot && carryOvers.length > 0) {
    return writesLeft > 1
      ? { to: 'carry over', limits, write: planCarryOver(snapshot, carryOvers, order.now), over: [] }
      : chargeAsStored(order, snapshot, known, writesLeft)
  }
  if (isSurelyTooMuch(knowledge, charges, order.now)) return { to: 'denied', limits }
  if (writesLeft === 0) return { to: 'contended', limits }
  return chargeStep(order, snapshot, limits, charges)
}

/** Limits that only warn are charged where they are thought to have room. */
const chargeStep = (
  { now, counters }: ChargeOrder,
  snapshot: BucketItem | undefined,
  limits: readonly EffectiveLimit[],
  charges: readonly LimitCharge[],
): Step => {
  const planned = charges.map((charge) =>
    isBinding(charge) ? charge : { ...charge, isExceeded: isExceeded(snapshot, charge, now) },
  )
  const over = planned.flatMap(({ isExceeded: isOver, effective }) => (isOver ? [effective.limit.name] : []))
  return { to: 'charge', limits, write: planCharge(snapshot, planned, now, counters), over }
}

/**
 * A compare-and-set loses to every other write, so that nodes which do not know of a change could keep it out for as long
 * as they are busy. What then fits the limit as the bucket has it is charged by that one, as they do; but it denies nothing.
 */
const chargeAsStored = (
  order: ChargeOrder,
  snapshot: BucketItem,
  known: readonly EffectiveLimit[],
  writesLeft: number,
): Step => {
  const limits = asStored(snapshot, known)
  const charges = limitChargesOf(limits, order.cost)
  const fits = !charges.some((charge) => isBinding(charge) && isExceeded(snapshot, charge, order.now))
  return fits && writesLeft > 0
    ? chargeStep(order, snapshot, limits, charges)
    : { to: 'contended', limits: known }
}

const isSurelyTooMuch = (
  { snapshot, isCurrent }: Knowledge,
  charges: readonly LimitCharge[],
  now: bigint,
): boolean =>
  snapshot !== undefined &&
  isCurrent &&
  charges.some((charge) => isBinding(charge) && isExceeded(snapshot, charge, now))

const isBinding = ({ effective }: LimitCharge): boolean => isEnforced(effective.limit)

const isExceeded = (snapshot: BucketItem | undefined, charge: LimitCharge, now: bigint): boolean =>
  !fitsAtAll(charge) || (snapshot !== undefined && waitNsOf(snapshot, charge, now) > 0n)
