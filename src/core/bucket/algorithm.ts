import type { LimitSize } from '../model/limit.ts'
import type { Slot } from '../model/meter.ts'
import type { Action, BucketItem, Condition, FieldValue } from './write.ts'

/**
 * The stored state of one limit: its attributes in the bucket without the limit's name. The attribute `rpm_tat` of the
 * bucket is `tat` here.
 */
export type LimitFields = Readonly<Record<string, FieldValue>>

/** One limit's part of a conditional write; its paths are names of `LimitFields`. */
export interface LimitWrite {
  readonly conditions: readonly Condition[]
  readonly actions: readonly Action[]
  /** True: the write may only apply to exactly the snapshot's state. */
  readonly requiresSnapshot?: boolean
}

/** How full a limit is at a moment. */
export interface Level {
  /** Whole tokens, rounded down, never below 0. */
  readonly available: number
  /** ns until it is full again */
  readonly resetNs: bigint
  /** ns until the window ends; only of windows that end at a fixed time and then refill all at once */
  readonly endsInNs?: bigint
}

/** A part of the amount in use. */
export interface Use {
  /** The earliest time at which it may have been used, ns since the epoch. */
  readonly since: bigint
  /** The latest time. */
  readonly until: bigint
  readonly millionths: bigint
}

/** The data of a charge that a refund of it requires. Kept in the process, or as attributes of a stored reservation. */
export type RefundBasis = Readonly<Record<string, bigint | string>>

export interface Refund {
  readonly basis: RefundBasis
  /** Tokens that were charged and not used; above 0. */
  readonly amount: number
  /** ns since the epoch */
  readonly now: bigint
  /** ns since the charge */
  readonly elapsedNs: bigint
  /** True: tokens that have refilled already are refunded as well (`refund: "full"`). */
  readonly full: boolean
  /** True: refund only the amount that is right in every state, so that no condition can fail. */
  readonly unconditional: boolean
}

/**
 * The arithmetic of a limit of one size: it turns a cost into a conditional write, interprets a state, and bounds refunds.
 * Pure; time is ns since the epoch. Each algorithm is one file that creates these.
 *
 * `snapshot` is the cached state of the limit, or undefined. It only selects the variant of the write: each variant is exact
 * in every state, and an outdated snapshot only makes the condition fail.
 */
export interface Algorithm {
  readonly name: string
  /** The size as stored in the bucket: short, readable, and parsed back to the same algorithm. */
  readonly text: string
  readonly capacity: number
  /** ns in which an empty bucket fills, or the length of the window */
  readonly windowNs: bigint
  /** True: windows of a fixed length begin with their first charge, at `w`. */
  readonly beginsWithUse?: boolean
  /** The wait that denials state, if the amount in use may fall at any time; undefined: the result of `wait`. */
  readonly retryNs?: bigint

  level(fields: LimitFields, now: bigint): Level
  /** ns until `cost` (at most `bound`) passes; 0 if it passes now. */
  wait(fields: LimitFields, cost: number, now: bigint, bound: number, slots?: readonly Slot[]): bigint
  /**
   * Charges `cost` if the amount in use, `cost` included, is then at most `bound`, which is at most the capacity. `cost` is at
   * most `bound`. A cost of 0 is only denied while the limit is in debt. `slots`: those that a concurrency limit adds, at most
   * `cost`.
   */
  charge(
    snapshot: LimitFields | undefined,
    cost: number,
    now: bigint,
    bound: number,
    slots?: readonly Slot[],
  ): LimitWrite
  /** A write without actions, whose conditions hold only if `cost` does not fit within `bound`. */
  exceeded(snapshot: LimitFields | undefined, cost: number, now: bigint, bound: number): LimitWrite
  /** Charges `amount` even if it does not fit, as long as the limit is then full again by `latest` (ns since the epoch). */
  debit(snapshot: LimitFields | undefined, amount: number, now: bigint, latest: bigint): LimitWrite
  /** What a refund of a charge that left `fields` at `now` requires. */
  refundBasis(fields: LimitFields, now: bigint, slots?: readonly Slot[]): RefundBasis
  /** Refunds as much as is allowed; undefined if that is nothing. */
  refund(snapshot: LimitFields, refund: Refund): LimitWrite | undefined
  /** Refunds `amount` of any earlier charges (a top-up); undefined if nothing is in use. */
  topUp(fields: LimitFields, amount: number, now: bigint): LimitWrite | undefined
  /** Millionths of tokens in use, rounded up; more than the capacity if the limit is in debt. */
  usedMillionths(fields: LimitFields, now: bigint): bigint
  /** The amount in use in parts, earliest first; their sum is `usedMillionths`. */
  uses(fields: LimitFields, now: bigint): readonly Use[]
  /** The state of a limit of another size or algorithm, as a state of this one. */
  carryOver(previous: Algorithm, fields: LimitFields, now: bigint): LimitFields
  /** The time at which a limit in this state is full again after a debit of `amount`, ns since the epoch. */
  fullAt(fields: LimitFields, amount: number, now: bigint): bigint
  /** The latest time at which a limit may be full again after any charge at `now`, ns since the epoch. */
  latestFullAt(now: bigint): bigint
  /**
   * The state at `now`, to be charged in place; undefined if numbers cannot represent it. An algorithm without this is charged
   * by conditional writes in memory, too.
   */
  live?(fields: LimitFields, time: LiveTime): LiveLimit | undefined
}

/** A time as a number: computed once per moment, not for each of the buckets that are charged in it. */
export interface LiveTime {
  /** ns since the epoch */
  readonly now: bigint
  /** ns since `origin`, within 26 days: sums with a duration stay below 2^53. */
  readonly ns: number
  readonly origin: LiveOrigin
}

/** A time from which others are counted. States of different origins are not comparable. */
export interface LiveOrigin {
  /** ns since the epoch */
  readonly at: bigint
}

/**
 * The state of one limit in a bucket that only this process writes, changed in place. It returns the results of `wait`,
 * `charge`, `level` and `latestFullAt` at the time that `moveTo` has set. Durations are numbers of ns, exact below 2^53.
 */
export interface LiveLimit {
  /** Whether it was charged, be it by 0: then the bucket names it. */
  readonly isCharged: boolean
  /** Sets the time, of the same origin; earlier than before if the clock was set back. False: the state cannot follow. */
  moveTo(time: LiveTime): boolean
  /** Whether `cost` passes. It is at most `bound`, and `bound` at most the capacity. */
  fits(cost: number, bound: number): boolean
  /** Charges a cost that fits. */
  take(cost: number): void
  /** Whole tokens, rounded down, never below 0. */
  available(): number
  resetNs(): number
  endsInNs(): number | undefined
  /** ns until `cost` passes; 0 if it passes now. */
  waitNs(cost: number, bound: number): number
  /** ns until the limit is full again at the latest, after any charge now. */
  fullInNs(): number
  /** The state as stored. */
  fields(): LimitFields
}

/** ns (52 days), and tokens: sums of two such amounts are exact in a number, and so is the floor of their quotient. */
export const MOST_EXACT = 2 ** 52

/** Cached per item: items are immutable, and thousands of decisions read the item of a busy bucket before it is replaced. */
const picked = new WeakMap<BucketItem, Map<string, LimitFields>>()

/**
 * One limit's attributes in a bucket. Attribute names of an algorithm contain no underscore, so `rpm_tat` is `tat` of `rpm`,
 * and `rpm_burst_tat` belongs to the limit `rpm_burst`.
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

/** A number of a limit's state or of a refund's basis; `fallback` if it is missing. */
export const numberAt = (
  fields: Readonly<Record<string, FieldValue | undefined>>,
  name: string,
  fallback: bigint,
): bigint => {
  const value = fields[name]
  return typeof value === 'bigint' ? value : fallback
}

/** All that the rest of the core uses of an algorithm. Exported by the algorithm's file, and registered in `registry.ts`. */
export interface AlgorithmDefinition<Size extends LimitSize> {
  readonly name: Size['algorithm']
  /** The arithmetic of a size. */
  readonly create: (size: Size) => Algorithm
  /** The arithmetic of a text in `<limit>_limit`; undefined if the text belongs to another algorithm. */
  readonly parse: (text: string) => Algorithm | undefined
  /** A part of a size: `part` of its amounts, `share` of its rates. */
  readonly scaled: (size: Size, part: (amount: number) => number, share: number) => Size
  /** The period of a size in messages: `in the last 3600 seconds`. */
  readonly period: (size: Size, windowSeconds: number) => string
}
