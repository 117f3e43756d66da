import type { LimitSize } from '../model/limit.ts'
import type { Action, BucketItem, Condition, FieldValue } from './write.ts'

/**
 * The stored state of one limit: its attributes in the bucket without the limit's name before them. What is in the
 * bucket as `rpm_tat` is `tat` here.
 */
export type LimitFields = Readonly<Record<string, FieldValue>>

/** One limit's part of a conditional write, on the names of `LimitFields`. */
export interface LimitWrite {
  readonly conditions: readonly Condition[]
  readonly actions: readonly Action[]
  /** True: it holds in no other state than the snapshot. */
  readonly requiresSnapshot?: boolean
}

/** How full a limit is at a moment. */
export interface Level {
  /** Whole tokens, rounded down, never below 0. */
  readonly available: number
  /** ns until it is full again */
  readonly resetNs: bigint
  /** ns until the window ends, where all comes back at once at a fixed time */
  readonly endsInNs?: bigint
}

/** A part of what is in use. */
export interface Use {
  /** ns since the epoch: used at the earliest then, */
  readonly since: bigint
  /** and at the latest then. */
  readonly until: bigint
  readonly millionths: bigint
}

/** What a settlement needs of a charge. Kept in memory, or as attributes of a stored reservation. */
export type ChargeMemory = Readonly<Record<string, bigint | string>>

export interface Refund {
  readonly memory: ChargeMemory
  /** What was charged and is not used: tokens, above 0. */
  readonly amount: number
  /** ns since the epoch */
  readonly now: bigint
  /** ns since the charge */
  readonly elapsedNs: bigint
  /** True: also what has refilled already (`refund: "full"`). */
  readonly full: boolean
  /** True: only what may be returned whatever the state is, so that no condition can fail. */
  readonly unconditional: boolean
}

/**
 * One limit's arithmetic, bound to its size: how a cost becomes a conditional write, what a state means, and how much
 * a refund may return. Pure; time is ns since the epoch. Each algorithm is one file that makes these.
 *
 * `snapshot` is the cached state of the limit, or undefined: a guess that picks the variant of the write. Each variant is
 * exact whatever the state is; a wrong guess only fails.
 */
export interface Algorithm {
  readonly name: string
  /** The size as it stands in the bucket: short, readable, and parsed back to the same algorithm. */
  readonly text: string
  readonly capacity: number
  /** ns in which an empty bucket fills, or the length of the window */
  readonly windowNs: bigint

  level(fields: LimitFields, now: bigint): Level
  /** ns until `cost` (at most `bound`) passes; 0 where it passes now. */
  wait(fields: LimitFields, cost: number, now: bigint, bound: number): bigint
  /**
   * Charges `cost` where no more than `bound` (at most the capacity) is in use with it; `cost` is at most `bound`.
   * A cost of 0 is checked against debt, whatever the bound.
   */
  charge(snapshot: LimitFields | undefined, cost: number, now: bigint, bound: number): LimitWrite
  /** Holds only where `cost` does not fit within `bound`, and changes nothing. */
  exceeded(snapshot: LimitFields | undefined, cost: number, now: bigint, bound: number): LimitWrite
  /** Charges `amount` whether it fits or not, while the state afterwards is full again by `latest` (ns since the epoch). */
  debit(snapshot: LimitFields | undefined, amount: number, now: bigint, latest: bigint): LimitWrite
  /** The memory of a charge that left `fields` at `now`. */
  remember(fields: LimitFields, now: bigint): ChargeMemory
  /** Refunds what may be returned; undefined: nothing is left to return. */
  refund(snapshot: LimitFields, refund: Refund): LimitWrite | undefined
  /** Returns `amount` whatever it was charged for (a top-up); undefined: nothing is used. */
  topUp(fields: LimitFields, amount: number, now: bigint): LimitWrite | undefined
  /** Millionths of tokens in use, rounded up; above the capacity in debt. */
  usedMillionths(fields: LimitFields, now: bigint): bigint
  /** What is in use, in parts, earliest first; their sum is `usedMillionths`. */
  uses(fields: LimitFields, now: bigint): readonly Use[]
  /** The state in which a limit of another size or algorithm goes on as this one. */
  carryOver(previous: Algorithm, fields: LimitFields, now: bigint): LimitFields
  /** ns since the epoch: when a limit in this state is full again after a debit of `amount`. */
  fullAt(fields: LimitFields, amount: number, now: bigint): bigint
  /** ns since the epoch: when a limit is full again at the latest, after any charge at `now`. */
  latestFullAt(now: bigint): bigint
}

/** Cached per item: items never change, and thousands of decisions read a busy bucket's before the next one comes. */
const picked = new WeakMap<BucketItem, Map<string, LimitFields>>()

/**
 * Picks one limit's attributes out of a bucket. The names of an algorithm's own state are single words, so `rpm_tat` is
 * `tat` of `rpm`, and `rpm_burst_tat` is of another limit.
 */
export const fieldsOf = (item: BucketItem, limitName: string): LimitFields => {
  const ofItem = picked.get(item) ?? new Map<string, LimitFields>()
  const known = ofItem.get(limitName)
  if (known !== undefined) return known
  const fields = pickFields(item, limitName)
  picked.set(item, ofItem.set(limitName, fields))
  return fields
}

const pickFields = (item: BucketItem, limitName: string): LimitFields => {
  const prefix = `${limitName}_`
  const fields: Record<string, FieldValue> = {}
  for (const [name, value] of Object.entries(item)) {
    if (name.startsWith(prefix) && !name.includes('_', prefix.length))
      fields[name.slice(prefix.length)] = value
  }
  return fields
}

/** A number of a limit's state or memory; `fallback` where there is none. */
export const numberAt = (
  fields: Readonly<Record<string, FieldValue | undefined>>,
  name: string,
  fallback: bigint,
): bigint => {
  const value = fields[name]
  return typeof value === 'bigint' ? value : fallback
}

/** What an algorithm is to the rest of the core. Each file of one exports it, and `registry.ts` registers it. */
export interface AlgorithmDefinition<Size extends LimitSize> {
  readonly name: Size['algorithm']
  /** The arithmetic of a size. */
  readonly create: (size: Size) => Algorithm
  /** The arithmetic that a bucket names in `<limit>_limit`; undefined: the text is another algorithm's. */
  readonly parse: (text: string) => Algorithm | undefined
  /** The part of a size that one process may grant: `part` of its amounts, `share` of its rates. */
  readonly scaled: (size: Size, part: (amount: number) => number, share: number) => Size
  /** In which time the amount of a size is the most, as messages put it: `in the last 3600 seconds`. */
  readonly period: (size: Size, windowSeconds: number) => string
}
