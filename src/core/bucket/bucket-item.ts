import { DAY_NS, SECOND_NS } from '../model/time.ts'
import type { LimitWrite } from './algorithm.ts'
import {
  type Action,
  add,
  type BucketItem,
  type Condition,
  type ConditionalWrite,
  equal,
  missing,
  type Path,
  set,
  setIfMissing,
} from './write.ts'

/** The attributes that a limit has in its bucket whatever its algorithm is. */
export const textPath = (name: string): string => `${name}_limit`

export const versionPath = (name: string): string => `${name}_version`

/** The size by which the bucket keeps a limit, as text; undefined if it contains no limit of this name. */
export const textIn = (item: BucketItem | undefined, name: string): string | undefined => {
  const text = item?.[textPath(name)]
  return typeof text === 'string' ? text : undefined
}

/** Whether the stored state of a limit is void, because its version is earlier than `since`. */
export const isVoidIn = (item: BucketItem, name: string, since: bigint | undefined): boolean =>
  since !== undefined && textIn(item, name) !== undefined && numberIn(item, versionPath(name), 0n) < since

/** A number in the bucket; `fallback` if it is missing. */
export const numberIn = (item: BucketItem | undefined, path: string, fallback: bigint): bigint => {
  const value = item?.[path]
  return typeof value === 'bigint' ? value : fallback
}

/** A bucket is kept this much longer than until all its limits are full again, so that TTL deletes no debt. */
const KEPT_NS = 2n * DAY_NS

/** `ttl` is set this much later than necessary, so that writes to a busy bucket move it only once a day. */
const SLACK_NS = DAY_NS

/** A part of a write, and the latest moment at which a limit of the bucket may be full again after it. */
export interface Bookkeeping extends ConditionalWrite {
  readonly latestFullAt: bigint
}

/**
 * The common part of all writes that are planned from a snapshot: it requires the snapshot's generation (`born`), increments
 * `rev`, and moves `ttl` if `fullAt`, the latest time at which a limit is full again, requires it. `ttl` only grows within a
 * generation: a write that moves it requires the value that it replaces.
 */
export const bookkeeping = (snapshot: BucketItem | undefined, now: bigint, fullAt: bigint): Bookkeeping => {
  const ttl = set('ttl', ttlSeconds(fullAt))
  const latestFullAt = fullAt + SLACK_NS - SECOND_NS
  if (snapshot?.born === undefined) {
    return { conditions: [missing('born')], actions: [set('born', now), add('rev', 1n), ttl], latestFullAt }
  }
  const kept = keptUntil(snapshot)
  const { conditions, actions } = sameGeneration(numberIn(snapshot, 'born', 0n))
  if (fullAt <= kept) return { conditions, actions, latestFullAt: kept }
  const sameTtl = snapshot.ttl === undefined ? missing('ttl') : equal('ttl', numberIn(snapshot, 'ttl', 0n))
  return { conditions: [...conditions, sameTtl], actions: [...actions, ttl], latestFullAt }
}

/** The common part of writes that only lower the amount in use: it requires the generation, and increments `rev`. */
export const sameGeneration = (born: bigint): ConditionalWrite => ({
  conditions: [equal('born', born)],
  actions: [add('rev', 1n)],
})

/** ns since the epoch: until then the `ttl` of an item allows a limit to be in use. */
export const keptUntil = (snapshot: BucketItem): bigint => numberIn(snapshot, 'ttl', 0n) * SECOND_NS - KEPT_NS

/** The `ttl` to write if a limit may be in use until `fullAt`. */
export const ttlSeconds = (fullAt: bigint): bigint => (fullAt + KEPT_NS + SLACK_NS) / SECOND_NS

/** A write that only adds to counters, in any generation. */
export const countersWrite = (counters: readonly Action[], now: bigint): ConditionalWrite => ({
  conditions: [],
  actions: [setIfMissing('born', now), setIfMissing('ttl', ttlSeconds(now)), add('rev', 1n), ...counters],
})

/** One limit's part of a bucket's write. */
export interface PrefixedWrite extends ConditionalWrite {
  /** True: the write may only apply to exactly the snapshot's state of the bucket. */
  readonly requiresSnapshot: boolean
}

/** The condition that a bucket has not been written since the snapshot, if a part requires it. */
export const unchangedSince = (
  snapshot: BucketItem | undefined,
  parts: readonly PrefixedWrite[],
): readonly Condition[] =>
  parts.some(({ requiresSnapshot }) => requiresSnapshot) ? [equal('rev', numberIn(snapshot, 'rev', 0n))] : []

/** One limit's write with the attribute names of the bucket: `tat` becomes `rpm_tat`. */
export const prefixed = (limitName: string, write: LimitWrite): PrefixedWrite => ({
  requiresSnapshot: write.requiresSnapshot ?? false,
  conditions: write.conditions.map((condition) => inCondition(limitName, condition)),
  actions: write.actions.map((action) => inAction(limitName, action)),
})

const inPath = (limitName: string, path: Path): Path =>
  typeof path === 'string' ? `${limitName}_${path}` : [`${limitName}_${path[0]}`, path[1]]

const inCondition = (limitName: string, condition: Condition): Condition => {
  if (condition.is === 'anyOf')
    return { ...condition, conditions: condition.conditions.map((inner) => inCondition(limitName, inner)) }
  return condition.is === 'sizeAtMost'
    ? { ...condition, path: `${limitName}_${condition.path}` }
    : { ...condition, path: inPath(limitName, condition.path) }
}

const inAction = (limitName: string, action: Action): Action => {
  const path = inPath(limitName, action.path)
  if (action.does === 'setIfMissing' && typeof action.value === 'object' && isSource(action.value)) {
    return { ...action, path, value: { from: `${limitName}_${action.value.from}` } }
  }
  return { ...action, path }
}

const isSource = (value: object): value is { readonly from: string } =>
  'from' in value && typeof value.from === 'string'
