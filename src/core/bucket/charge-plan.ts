import type { Cost } from '../model/meter.ts'
import { larger } from '../model/time.ts'
import { fieldsOf, type LimitFields, type LimitWrite } from './algorithm.ts'
import { bookkeeping, prefixed, textIn, textPath, versionPath } from './bucket-item.ts'
import { boundOf, isPaused, type LimitInForce } from './limit-in-force.ts'
import { type Action, type BucketItem, type ConditionalWrite, equal, missing, set } from './write.ts'

/** The limits of a bucket that a cost touches, with what it asks of each. */
export interface Demand {
  readonly inForce: LimitInForce
  readonly amount: number
  /** True: the limit only warns, is thought to be exceeded, and is not charged; the write holds only where it is. */
  readonly isOver?: boolean
}

/** Whether the demand is within the caller's share of the whole limit. Nothing is within a paused one. */
export const fitsAtAll = ({ inForce, amount }: Demand): boolean =>
  amount <= boundOf(inForce) && !isPaused(inForce)

/** ns until the demand, which fits at all, passes in the state `seen`. */
export const waitFor = (seen: BucketItem, { inForce, amount }: Demand, now: bigint): bigint =>
  inForce.algorithm.wait(fieldsOf(seen, inForce.limit.name), amount, now, boundOf(inForce))

/** What `cost` asks of each limit; limits whose meter is not in it are left out. */
export const demandsOf = (limits: readonly LimitInForce[], cost: Cost): readonly Demand[] =>
  limits.flatMap((inForce) => {
    const amount = cost[inForce.limit.meter]
    return amount === undefined ? [] : [{ inForce, amount }]
  })

/**
 * The one write that charges all of `demands` or none. `seen` is the last known state of the bucket: it picks the variants.
 * Its limits have the texts of the demands, or none yet. `counters` go along. Exact whatever the state really is.
 */
export const planCharge = (
  seen: BucketItem | undefined,
  demands: readonly Demand[],
  now: bigint,
  counters: readonly Action[],
): ConditionalWrite => {
  const fullAt = demands.reduce(
    (latest, { inForce }) => larger(latest, inForce.algorithm.latestFullAt(now)),
    now,
  )
  const kept = bookkeeping(seen, now, fullAt)
  const parts = demands.map((demand) => chargeOne(seen, demand, now))
  return {
    conditions: [...kept.conditions, ...parts.flatMap(({ conditions }) => conditions)],
    actions: [...kept.actions, ...parts.flatMap(({ actions }) => actions), ...counters],
  }
}

const chargeOne = (seen: BucketItem | undefined, demand: Demand, now: bigint): ConditionalWrite => {
  const { limit, algorithm, version } = demand.inForce
  const isKnown = textIn(seen, limit.name) !== undefined
  const fields = seen && isKnown ? fieldsOf(seen, limit.name) : undefined
  const write = prefixed(limit.name, ownPart(fields, demand, now))
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
const ownPart = (fields: LimitFields | undefined, demand: Demand, now: bigint): LimitWrite => {
  const { inForce, amount, isOver = false } = demand
  if (isOver && !fitsAtAll(demand)) return UNCONDITIONAL
  const { algorithm } = inForce
  return (isOver ? algorithm.over : algorithm.charge)(fields, amount, now, boundOf(inForce))
}
