import { fieldsOf, type LimitFields, type LimitWrite } from '../algorithms/algorithm.ts'
import { larger } from '../algorithms/integers.ts'
import type { Cost } from '../limit/meter.ts'
import { bookkeeping } from './bookkeeping.ts'
import {
  type Action,
  type BucketItem,
  type ConditionalWrite,
  equal,
  missing,
  type Path,
  remove,
  set,
} from './conditional-write.ts'
import {
  boundOf,
  isPaused,
  type LimitInForce,
  numberIn,
  textIn,
  textPath,
  versionPath,
} from './limit-in-force.ts'
import { prefixed } from './prefixed.ts'

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

/**
 * The write that carries the states of limits whose text has changed over to the limits in force, and charges nothing.
 * A compare-and-set on `rev`: what it computes from is the whole state.
 */
export const planTakeOver = (
  seen: BucketItem,
  changed: readonly TakeOver[],
  now: bigint,
): ConditionalWrite => {
  const states = changed.map((change) => takenOver(seen, change, now))
  const kept = bookkeeping(
    seen,
    now,
    states.reduce((latest, { fullAt }) => larger(latest, fullAt), now),
  )
  return {
    conditions: [...kept.conditions, equal('rev', numberIn(seen, 'rev', 0n))],
    actions: [...kept.actions, ...states.flatMap(({ actions }) => actions)],
  }
}

/** A limit in force, and the arithmetic by which the bucket still keeps it. */
export interface TakeOver {
  readonly inForce: LimitInForce
  readonly previous: LimitInForce['algorithm']
}

const takenOver = (seen: BucketItem, { inForce, previous }: TakeOver, now: bigint) => {
  const { limit, algorithm, version } = inForce
  const before = fieldsOf(seen, limit.name)
  const after = algorithm.takeOver(previous, before, now)
  const isState = (name: string): boolean => name !== 'limit' && name !== 'version'
  const gone = Object.keys(before).filter((name) => isState(name) && !(name in after))
  const path = (name: string): Path => `${limit.name}_${name}`
  const actions: readonly Action[] = [
    ...Object.entries(after).map(([name, value]) => set(path(name), value)),
    ...gone.map((name) => remove(path(name))),
    set(textPath(limit.name), algorithm.text),
    set(versionPath(limit.name), version),
  ]
  // as far as the charge that follows would move it: only one of several nodes can
  return { actions, fullAt: larger(algorithm.fullAt(after, 0, now), algorithm.latestFullAt(now)) }
}
