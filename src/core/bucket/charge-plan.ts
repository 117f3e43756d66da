import type { Cost } from '../model/meter.ts'
import { larger } from '../model/time.ts'
import { fieldsOf, type LimitFields, type LimitWrite } from './algorithm.ts'
import { bookkeeping, prefixed, textIn, textPath, versionPath } from './bucket-item.ts'
import { boundOf, type EffectiveLimit, isPaused } from './effective-limit.ts'
import { type Action, type BucketItem, type ConditionalWrite, equal, missing, set } from './write.ts'

/** The charge of a cost on one limit. */
export interface LimitCharge {
  readonly effective: EffectiveLimit
  readonly amount: number
  /** True: the limit only warns and, by the snapshot, is exceeded: it is not charged, and the write requires that it is. */
  readonly isExceeded?: boolean
}

/** Whether the charge is within the caller's share of the whole limit. Nothing is within a paused one. */
export const fitsAtAll = ({ effective, amount }: LimitCharge): boolean =>
  amount <= boundOf(effective) && !isPaused(effective)

/** ns until the charge, which fits at all, passes in the snapshot. */
export const waitNsOf = (snapshot: BucketItem, { effective, amount }: LimitCharge, now: bigint): bigint =>
  effective.algorithm.wait(fieldsOf(snapshot, effective.limit.name), amount, now, boundOf(effective))

/** What `cost` charges on each limit; limits whose meter is not in it are left out. */
export const limitChargesOf = (limits: readonly EffectiveLimit[], cost: Cost): readonly LimitCharge[] =>
  limits.flatMap((effective) => {
    const amount = cost[effective.limit.meter]
    return amount === undefined ? [] : [{ effective, amount }]
  })

/**
 * The one write that charges all of `charges` or none. The snapshot picks the variants of the write.
 * Its limits have the texts of the charges, or none yet. `counters` go along. Exact whatever the state is.
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
    conditions: [...kept.conditions, ...parts.flatMap(({ conditions }) => conditions)],
    actions: [...kept.actions, ...parts.flatMap(({ actions }) => actions), ...counters],
  }
}

const chargeOne = (snapshot: BucketItem | undefined, charge: LimitCharge, now: bigint): ConditionalWrite => {
  const { limit, algorithm, version } = charge.effective
  const isKnown = textIn(snapshot, limit.name) !== undefined
  const fields = snapshot && isKnown ? fieldsOf(snapshot, limit.name) : undefined
  const write = prefixed(limit.name, ownPart(fields, charge, now))
  const text = textPath(limit.name)
  if (isKnown)
    return { conditions: [equal(text, algorithm.text), ...write.conditions], actions: write.actions }
  return {
    conditions: [missing(text), ...write.conditions],
    actions: [...write.actions, set(text, algorithm.text), set(versionPath(limit.name), version)],
  }
}

const UNCONDITIONAL: LimitWrite = { conditions: [], actions: [] }

/** What is larger than the whole limit exceeds it in any state. */
const ownPart = (fields: LimitFields | undefined, charge: LimitCharge, now: bigint): LimitWrite => {
  const { effective, amount, isExceeded: isOver = false } = charge
  if (isOver && !fitsAtAll(charge)) return UNCONDITIONAL
  const { algorithm } = effective
  return (isOver ? algorithm.exceeded : algorithm.charge)(fields, amount, now, boundOf(effective))
}
