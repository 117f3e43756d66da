import type { BucketId } from '../../../src/core/bucket/bucket-store.ts'
import type { BucketItem, Condition, ConditionalWrite } from '../../../src/core/bucket/write.ts'
import { policyName } from '../../../src/core/model/policy.ts'
import { createMemoryBucketStore } from '../../../src/store/memory/bucket-store.ts'
import type { CallEnd, TableAtWork } from './network.ts'
import type { Scheduler } from './scheduler.ts'

/** One write's change to one limit: ns of a token bucket's `tat`, or counts. Above 0: charged; below 0: refunded. */
export interface Change {
  readonly limit: string
  readonly amount: number
  /** The size by which the bucket stores the limit. */
  readonly text: string
  /** The version of that size. */
  readonly version: number
}

/** A write that the table applied. */
export interface TableWrite {
  readonly atNs: number
  readonly sentNs: number
  /** The node instance that sent it. */
  readonly by: number
  readonly entityId: string
  readonly end: CallEnd
  readonly changes: readonly Change[]
  /** Limits whose size in the bucket changes with this write; the amount in use is carried over, not charged. */
  readonly resized: readonly Omit<Change, 'amount'>[]
  /** The increments of the counters of use, by meter. */
  readonly used: Readonly<Record<string, number>>
  /** The state after the write of the limits that it changed: `tat` of a token bucket, ns since the epoch, or `n`. */
  readonly states: Readonly<Record<string, bigint>>
  /** The starts of windows that it began, by limit, ns since the epoch. */
  readonly windows: Readonly<Record<string, bigint>>
  /** True: it began a new generation of the bucket. */
  readonly isReset: boolean
}

/** The table and a log of its writes, derived from the stored values alone. */
export interface LoggedTable {
  readonly writes: readonly TableWrite[]
  /** The table as node instance `by` reaches it. */
  at(by: number): TableAtWork
}

export const createLoggedTable = (scheduler: Scheduler): LoggedTable => {
  const store = createMemoryBucketStore()
  const writes: TableWrite[] = []
  const at = (by: number): TableAtWork => ({
    async write(id, write, end, sentNs) {
      const before = await store.read(id)
      const outcome = await store.write(id, write)
      if (outcome.applied) {
        const call = { atNs: scheduler.now(), sentNs, by, entityId: entityOf(id), end }
        writes.push({ ...call, ...changesOf(before ?? {}, outcome.item, write) })
      }
      return outcome
    },
    read: store.read,
    list: store.list,
  })
  return { writes, at }
}

const entityOf = (id: BucketId): string => (id.kind === 'entity' ? id.entityId : policyName(id))

const changesOf = (
  before: BucketItem,
  after: BucketItem,
  { actions, conditions }: ConditionalWrite,
): Omit<TableWrite, 'atNs' | 'sentNs' | 'by' | 'entityId' | 'end'> => {
  const resized = resizedIn(before, after)
  if (before.born !== undefined && after.born !== before.born)
    return { changes: [], resized, used: {}, states: {}, windows: {}, isReset: true }
  const paths = actions.flatMap(({ path }) => (typeof path === 'string' ? [path] : []))
  return {
    resized,
    changes: paths.flatMap((path) => changeOf(path, before, after, conditions) ?? []),
    used: Object.fromEntries(
      paths
        .filter((path) => path.startsWith('used_'))
        .map((path) => [path.slice(5), Number(numberAt(after, path) - numberAt(before, path))]),
    ),
    states: Object.fromEntries(paths.flatMap((path) => stateOf(path, after))),
    windows: Object.fromEntries(
      paths
        .filter((path) => path.endsWith('_w') && before[path] !== after[path])
        .map((path) => [path.slice(0, -2), numberAt(after, path)]),
    ),
    isReset: false,
  }
}

const stateOf = (path: string, after: BucketItem): readonly (readonly [string, bigint])[] => {
  const limit = path.replace(/_(tat|n)$/, '')
  return limit === path ? [] : [[limit, numberAt(after, path)]]
}

const changeOf = (
  path: string,
  before: BucketItem,
  after: BucketItem,
  conditions: readonly Condition[],
): Change | undefined => {
  const limit = path.replace(/_(tat|n)$/, '')
  if (limit === path || isCarriedOver(limit, before, after)) return undefined
  const stored = { limit, ...storedOf(after, limit) }
  if (path.endsWith('_tat')) {
    const since = idleSince(path, conditions) ?? numberAt(before, path)
    return { ...stored, amount: Number(numberAt(after, path) - since) }
  }
  const isNewWindow = before[`${limit}_w`] !== after[`${limit}_w`]
  const counted = isNewWindow ? 0n : numberAt(before, path)
  return { ...stored, amount: Number(numberAt(after, path) - counted) }
}

const TEXT = '_limit'

const storedOf = (item: BucketItem, limit: string) => ({
  text: String(item[limit + TEXT]),
  version: Number(numberAt(item, `${limit}_version`)),
})

const isCarriedOver = (limit: string, before: BucketItem, after: BucketItem): boolean =>
  before[limit + TEXT] !== undefined && before[limit + TEXT] !== after[limit + TEXT]

const resizedIn = (before: BucketItem, after: BucketItem): TableWrite['resized'] =>
  Object.keys(after)
    .filter((path) => path.endsWith(TEXT) && before[path] !== after[path])
    .map((path) => path.slice(0, -TEXT.length))
    .map((limit) => ({ limit, ...storedOf(after, limit) }))

const numberAt = (item: BucketItem, path: string): bigint => {
  const value = item[path]
  return typeof value === 'bigint' ? value : 0n
}

/** A full bucket is charged from the current time, which its condition compares with. Undefined: it was not full. */
const idleSince = (path: string, conditions: readonly Condition[]): bigint | undefined => {
  const alternatives = conditions.flatMap((each) => (each.is === 'anyOf' ? each.conditions : []))
  for (const each of alternatives)
    if (each.is === 'below' && each.path === path && typeof each.value === 'bigint') return each.value
  return undefined
}
