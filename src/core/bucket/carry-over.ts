import { larger } from '../model/time.ts'
import { fieldsOf, type LimitFields } from './algorithm.ts'
import { bookkeeping, numberIn, textIn, textPath, versionPath } from './bucket-item.ts'
import { ENVIRONMENT, type LimitInForce } from './limit-in-force.ts'
import { algorithmOfText } from './registry.ts'
import {
  type Action,
  type BucketItem,
  type ConditionalWrite,
  equal,
  type Path,
  remove,
  set,
} from './write.ts'

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

export interface ChangedLimits {
  /** Limits that this node knows a later change of than the bucket: their states are to be carried over. */
  readonly takeOvers: readonly TakeOver[]
  /** Whether the bucket knows a later (or another, equally old) change of some limit than this node. */
  readonly isLater: boolean
}

/**
 * Compares the limits that a node knows with those that the bucket was last charged by. Versions order changes, so that two
 * nodes never carry a state back and forth. Of equal versions, those of defaults of two environments leave the one in the
 * bucket until the limit is full again and there is nothing to carry; else one node knew some sets of limits older than
 * others, and the one that has just read all of them again (`isReread`) is right.
 */
export const changesIn = (
  seen: BucketItem | undefined,
  limits: readonly LimitInForce[],
  now: bigint,
  isReread: boolean,
): ChangedLimits => {
  if (!seen) return { takeOvers: [], isLater: false }
  const changed = limits.filter(
    ({ limit, algorithm }) => (textIn(seen, limit.name) ?? algorithm.text) !== algorithm.text,
  )
  const [earlier, later] = split(changed, (inForce) => isEarlierIn(seen, inForce, now, isReread))
  const takeOvers = earlier.map((inForce) => ({ inForce, previous: algorithmIn(seen, inForce) }))
  return { takeOvers, isLater: later.length > 0 }
}

/** The limits, just read again, with the arithmetic that the bucket names where it knows a later change. */
export const decidedByTheBucket = (
  seen: BucketItem | undefined,
  limits: readonly LimitInForce[],
  now: bigint,
): readonly LimitInForce[] =>
  limits.map((inForce) => {
    if (!seen || textIn(seen, inForce.limit.name) === undefined || isEarlierIn(seen, inForce, now, true))
      return inForce
    return { ...inForce, algorithm: algorithmIn(seen, inForce) }
  })

/** The limits, with the arithmetic that the bucket names, whoever knows the later change. */
export const asInTheBucket = (seen: BucketItem, limits: readonly LimitInForce[]): readonly LimitInForce[] =>
  limits.map((inForce) => ({ ...inForce, algorithm: algorithmIn(seen, inForce) }))

/** A limit's state in the bucket, seen as a state of the limit in force. */
export const fieldsInForce = (
  seen: BucketItem | undefined,
  inForce: LimitInForce,
  now: bigint,
): LimitFields => {
  if (!seen) return {}
  const fields = fieldsOf(seen, inForce.limit.name)
  const previous = algorithmIn(seen, inForce)
  return previous.text === inForce.algorithm.text ? fields : inForce.algorithm.takeOver(previous, fields, now)
}

const isEarlierIn = (seen: BucketItem, inForce: LimitInForce, now: bigint, isReread: boolean): boolean => {
  const version = numberIn(seen, versionPath(inForce.limit.name), 0n)
  if (version !== inForce.version) return version < inForce.version
  if (inForce.source !== ENVIRONMENT) return isReread
  return algorithmIn(seen, inForce).usedMillionths(fieldsOf(seen, inForce.limit.name), now) === 0n
}

const algorithmIn = (seen: BucketItem, { limit, algorithm }: LimitInForce): LimitInForce['algorithm'] => {
  const text = textIn(seen, limit.name) ?? algorithm.text
  if (text === algorithm.text) return algorithm
  const named = algorithmOfText(text)
  if (named === undefined)
    throw new Error(`the bucket names a limit that this version of zael does not know: ${text}`)
  return named
}

const split = <T>(
  items: readonly T[],
  isFirst: (item: T) => boolean,
): readonly [readonly T[], readonly T[]] => [items.filter(isFirst), items.filter((item) => !isFirst(item))]
