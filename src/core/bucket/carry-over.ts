import { larger } from '../model/time.ts'
import { fieldsOf, type LimitFields } from './algorithm.ts'
import { bookkeeping, isVoidIn, numberIn, textIn, textPath, versionPath } from './bucket-item.ts'
import { type EffectiveLimit, ENVIRONMENT } from './effective-limit.ts'
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
 * A write that carries over the states of limits whose text has changed to the effective limits, drops void ones, and charges
 * nothing. A compare-and-set on `rev`, because the new state is computed from the whole snapshot.
 */
export const planCarryOver = (
  snapshot: BucketItem,
  changed: readonly CarryOver[],
  now: bigint,
): ConditionalWrite => {
  const states = changed.map((change) => carriedOver(snapshot, change, now))
  const kept = bookkeeping(
    snapshot,
    now,
    states.reduce((latest, { fullAt }) => larger(latest, fullAt), now),
  )
  return {
    conditions: [...kept.conditions, equal('rev', numberIn(snapshot, 'rev', 0n))],
    actions: [...kept.actions, ...states.flatMap(({ actions }) => actions)],
  }
}

/** An effective limit, and the algorithm of its stored state. */
export interface CarryOver {
  readonly effective: EffectiveLimit
  readonly previous: EffectiveLimit['algorithm']
}

const carriedOver = (snapshot: BucketItem, { effective, previous }: CarryOver, now: bigint) => {
  const { limit, algorithm, version } = effective
  const before = fieldsOf(snapshot, limit.name)
  const after = isVoid(snapshot, effective) ? {} : algorithm.carryOver(previous, before, now)
  const isState = (name: string): boolean => name !== 'limit' && name !== 'version'
  const gone = Object.keys(before).filter((name) => isState(name) && !(name in after))
  const path = (name: string): Path => `${limit.name}_${name}`
  const actions: readonly Action[] = [
    ...Object.entries(after).map(([name, value]) => set(path(name), value)),
    ...gone.map((name) => remove(path(name))),
    set(textPath(limit.name), algorithm.text),
    set(versionPath(limit.name), version),
  ]
  // moves `ttl` as far as the charge that follows would: only one of several nodes can move it
  return { actions, fullAt: larger(algorithm.fullAt(after, 0, now), algorithm.latestFullAt(now)) }
}

export interface ChangedLimits {
  /** Limits of a later version than the bucket's: their states are to be carried over. */
  readonly carryOvers: readonly CarryOver[]
  /** Whether the bucket has a later version of some limit, or another text of the same version. */
  readonly isLater: boolean
}

/**
 * Compares the limits of a request with those by which the bucket was last charged. Versions order changes, so that two nodes
 * never carry a state back and forth. Texts of equal versions differ for two reasons. If two environments have different
 * defaults, the stored one stays until the limit is full and there is nothing to carry over. If a node has cached some limit
 * sets longer than others, the node that has just read all of them (`isLatest`) is right.
 */
export const changesIn = (
  snapshot: BucketItem | undefined,
  limits: readonly EffectiveLimit[],
  now: bigint,
  isLatest: boolean,
): ChangedLimits => {
  if (!snapshot) return { carryOvers: [], isLater: false }
  const changed = limits.filter(
    (effective) =>
      isVoid(snapshot, effective) ||
      (textIn(snapshot, effective.limit.name) ?? effective.algorithm.text) !== effective.algorithm.text,
  )
  const [earlier, later] = split(changed, (effective) => isEarlierIn(snapshot, effective, now, isLatest))
  const carryOvers = earlier.map((effective) => ({ effective, previous: algorithmIn(snapshot, effective) }))
  return { carryOvers, isLater: later.length > 0 }
}

/** `limits`, which have just been read again; with the stored algorithm for each of which the bucket has a later version. */
export const preferStored = (
  snapshot: BucketItem | undefined,
  limits: readonly EffectiveLimit[],
  now: bigint,
): readonly EffectiveLimit[] =>
  limits.map((effective) => {
    if (
      !snapshot ||
      textIn(snapshot, effective.limit.name) === undefined ||
      isEarlierIn(snapshot, effective, now, true)
    )
      return effective
    return { ...effective, algorithm: algorithmIn(snapshot, effective) }
  })

/** `limits` with the stored algorithms, whichever version is later. */
export const asStored = (
  snapshot: BucketItem,
  limits: readonly EffectiveLimit[],
): readonly EffectiveLimit[] =>
  limits.map((effective) => ({ ...effective, algorithm: algorithmIn(snapshot, effective) }))

/** The stored state of a limit, as a state of the effective limit. */
export const effectiveFields = (
  snapshot: BucketItem | undefined,
  effective: EffectiveLimit,
  now: bigint,
): LimitFields => {
  if (!snapshot || isVoid(snapshot, effective)) return {}
  const fields = fieldsOf(snapshot, effective.limit.name)
  const previous = algorithmIn(snapshot, effective)
  return previous.text === effective.algorithm.text
    ? fields
    : effective.algorithm.carryOver(previous, fields, now)
}

const isVoid = (snapshot: BucketItem, { limit, since }: EffectiveLimit): boolean =>
  isVoidIn(snapshot, limit.name, since)

const isEarlierIn = (
  snapshot: BucketItem,
  effective: EffectiveLimit,
  now: bigint,
  isLatest: boolean,
): boolean => {
  const version = numberIn(snapshot, versionPath(effective.limit.name), 0n)
  if (version !== effective.version) return version < effective.version
  if (effective.source !== ENVIRONMENT) return isLatest
  return algorithmIn(snapshot, effective).usedMillionths(fieldsOf(snapshot, effective.limit.name), now) === 0n
}

const algorithmIn = (
  snapshot: BucketItem,
  { limit, algorithm }: EffectiveLimit,
): EffectiveLimit['algorithm'] => {
  const text = textIn(snapshot, limit.name) ?? algorithm.text
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
