import { amountOf, type ChargedCost, IN_FLIGHT, type Slot } from '../model/meter.ts'
import { larger } from '../model/time.ts'
import { fieldsOf, type LimitFields, type LimitWrite } from './algorithm.ts'
import {
  bookkeeping,
  type PrefixedWrite,
  prefixed,
  textIn,
  textPath,
  unchangedSince,
  versionPath,
} from './bucket-item.ts'
import { boundOf, type EffectiveLimit, isPaused } from './effective-limit.ts'
import { type Action, type BucketItem, type ConditionalWrite, equal, missing, set } from './write.ts'

/** The charge of a cost on one limit. */
export interface LimitCharge {
  readonly effective: EffectiveLimit
  readonly amount: number
  /** The slots that it takes of a concurrency limit, at most `amount`. */
  readonly slots?: readonly Slot[]
  /** True: the limit only warns, and the snapshot shows it exceeded: it is not charged, and the write requires that it is exceeded. */
  readonly isExceeded?: boolean
}

/** Whether the charge fits the limit when it is full: within the caller's share, and not on a paused limit. */
export const fitsAtAll = ({ effective, amount }: LimitCharge): boolean =>
  amount <= boundOf(effective) && !isPaused(effective)

/** ns until the charge passes, from the snapshot on. Requires `fitsAtAll`. */
export const waitNsOf = (
  snapshot: BucketItem,
  { effective, amount, slots }: LimitCharge,
  now: bigint,
): bigint =>
  effective.algorithm.wait(fieldsOf(snapshot, effective.limit.name), amount, now, boundOf(effective), slots)

/** The charge of `cost` on each limit whose meter it names. */
export const limitChargesOf = (
  limits: readonly EffectiveLimit[],
  cost: ChargedCost,
): readonly LimitCharge[] =>
  limits.flatMap((effective) => {
    const { meter } = effective.limit
    const amount = amountOf(cost, meter)
    if (amount === undefined) return []
    return meter === IN_FLIGHT && cost.slots
      ? [{ effective, amount, slots: cost.slots }]
      : [{ effective, amount }]
  })

/**
 * One write that applies all of `charges` or none, and adds `counters`. The snapshot only selects the variant of each charge:
 * the conditions are exact in every state. Requires that each limit in the snapshot has the text of its charge.
 */
export const planCharge = (
  snapshot: BucketItem | undefined,
  charges: readonly LimitCharge[],
  now: bigint,
  counters: readonly Action[],
): ConditionalWrite => {
  const fullAt = charges.reduce(
    (latest, { effective }) => larger(latest, effective.algorithm.latestFullAt(now)),
    now,
  )
  const kept = bookkeeping(snapshot, now, fullAt)
  const parts = charges.map((charge) => chargeOne(snapshot, charge, now))
  return {
    conditions: [
      ...kept.conditions,
      ...unchangedSince(snapshot, parts),
      ...parts.flatMap(({ conditions }) => conditions),
    ],
    actions: [...kept.actions, ...parts.flatMap(({ actions }) => actions), ...counters],
  }
}

const chargeOne = (snapshot: BucketItem | undefined, charge: LimitCharge, now: bigint): PrefixedWrite => {
  const { limit, algorithm, version } = charge.effective
  const isKnown = textIn(snapshot, limit.name) !== undefined
  const fields = snapshot && isKnown ? fieldsOf(snapshot, limit.name) : undefined
  const write = prefixed(limit.name, ownPart(fields, charge, now))
  const text = textPath(limit.name)
  if (isKnown) return { ...write, conditions: [equal(text, algorithm.text), ...write.conditions] }
  return {
    ...write,
    conditions: [missing(text), ...write.conditions],
    actions: [...write.actions, set(text, algorithm.text), set(versionPath(limit.name), version)],
  }
}

const UNCONDITIONAL: LimitWrite = { conditions: [], actions: [] }

/** An amount that does not fit the full limit exceeds it in any state: no condition is required. */
const ownPart = (fields: LimitFields | undefined, charge: LimitCharge, now: bigint): LimitWrite => {
  const { effective, amount, slots, isExceeded: isOver = false } = charge
  if (isOver && !fitsAtAll(charge)) return UNCONDITIONAL
  const { algorithm } = effective
  return isOver
    ? algorithm.exceeded(fields, amount, now, boundOf(effective))
    : algorithm.charge(fields, amount, now, boundOf(effective), slots)
}
