import { countersWrite } from '../bucket/bucket-item.ts'
import { type BucketId, bucketKey } from '../bucket/bucket-store.ts'
import { type Action, add } from '../bucket/write.ts'
import { StoreUnavailable } from '../model/errors.ts'
import { type Cost, METERS, type Meter } from '../model/meter.ts'
import { earlier, SECOND_NS } from '../model/time.ts'
import type { Clock } from '../ports/platform.ts'
import type { CachedBuckets } from './cached-buckets.ts'

/**
 * Increments of a bucket's counters by attribute name: `used_tokens`, `denied`, `denied_rpm`. A sum that is no longer a
 * safe integer is a bigint: single amounts reach 2^53 − 1.
 */
export type Counts = Readonly<Record<string, Count>>

export type Count = number | bigint

/** Counts that are pending in this process: the next write to their bucket includes them, or they are written alone when due. */
export interface Tally {
  /** `isUse`: use, which is due soon. Denials may wait longer, and so may all counts of policies, which have no usage reports. */
  add(bucket: BucketId, counts: Counts, options: { readonly isUse: boolean; readonly nowNs: bigint }): void
  /** The pending counts of a bucket; the caller may add to them until they are taken. */
  waitingOf(bucket: BucketId, nowNs: bigint): Waiting
  /** Removes and returns the pending counts of a bucket; the caller writes them, or calls `restore`. */
  take(bucket: BucketId): Pending | undefined
  /** Whether counts of any bucket are pending. */
  hasAny(): boolean
  restore(pending: Pending): void
  /** Buckets whose use has waited for `useNs`, or whose denials for `denialsNs` (monotonic clock). */
  due(nowNs: bigint, age: { readonly useNs: bigint; readonly denialsNs: bigint }): readonly BucketId[]
}

type UseCounter = `used_${Meter}`

/**
 * Pending counts of a bucket; nothing may be added once they are taken. The uses are in the object itself: every decision adds
 * to them, and over many keys each object that it reads is a miss of the processor's caches.
 */
export interface Waiting extends Record<UseCounter, Count> {
  readonly bucket: BucketId
  /** The counts of denials; undefined if there are none. */
  denials: Record<string, Count> | undefined
  useSinceNs: bigint | undefined
  sinceNs: bigint
  isTaken: boolean
}

export type Pending = Readonly<Pick<Waiting, 'bucket' | 'sinceNs' | 'useSinceNs'>> & {
  readonly counts: Counts
}

const createWaiting = (bucket: BucketId, nowNs: bigint): Waiting => ({
  bucket,
  used_requests: 0,
  used_tokens: 0,
  used_input_tokens: 0,
  used_output_tokens: 0,
  used_cost_usd_micros: 0,
  denials: undefined,
  sinceNs: nowNs,
  useSinceNs: undefined,
  isTaken: false,
})

/** Adds the use of a cost. */
export const addUse = (waiting: Waiting, cost: Cost): void => {
  for (const meter of METERS) {
    const amount = cost[meter]
    if (amount !== undefined && amount > 0) waiting[USED[meter]] = plus(waiting[USED[meter]], amount)
  }
}

/** Adds to one counter of denials. */
export const addDenials = (waiting: Waiting, name: string, amount: Count): void => {
  waiting.denials ??= {}
  waiting.denials[name] = plus(waiting.denials[name] ?? 0, amount)
}

const addCounts = (waiting: Waiting, counts: Counts): void => {
  for (const [name, amount] of Object.entries(counts)) {
    const meter = METERS.find((each) => USED[each] === name)
    if (meter === undefined) addDenials(waiting, name, amount)
    else waiting[USED[meter]] = plus(waiting[USED[meter]], amount)
  }
}

const countsOf = (waiting: Waiting): Counts => {
  const counts: Record<string, Count> = { ...waiting.denials }
  for (const meter of METERS) if (waiting[USED[meter]] > 0) counts[USED[meter]] = waiting[USED[meter]]
  return counts
}

const isEmpty = (waiting: Waiting): boolean => {
  if (waiting.denials !== undefined) return false
  for (const meter of METERS) if (waiting[USED[meter]] > 0) return false
  return true
}

export const createTally = (): Tally => {
  const all = new Map<string, Waiting>()
  const waitingOf = (bucket: BucketId, nowNs: bigint): Waiting => {
    const key = bucketKey(bucket)
    const known = all.get(key)
    if (known) return known
    const made = createWaiting(bucket, nowNs)
    all.set(key, made)
    return made
  }
  const takeOut = (waiting: Waiting): Pending | undefined => {
    waiting.isTaken = true
    all.delete(bucketKey(waiting.bucket))
    const { bucket, sinceNs, useSinceNs } = waiting
    return isEmpty(waiting) ? undefined : { bucket, sinceNs, useSinceNs, counts: countsOf(waiting) }
  }
  const join = ({ bucket, counts, sinceNs, useSinceNs }: Pending): void => {
    const into = waitingOf(bucket, sinceNs)
    addCounts(into, counts)
    if (sinceNs < into.sinceNs) into.sinceNs = sinceNs
    into.useSinceNs = earlier(into.useSinceNs, useSinceNs)
  }
  return {
    add(bucket, counts, { isUse, nowNs }) {
      const isDueSoon = isUse && bucket.kind === 'entity'
      join({ bucket, counts, sinceNs: nowNs, useSinceNs: isDueSoon ? nowNs : undefined })
    },
    waitingOf,
    take(bucket) {
      const waiting = all.get(bucketKey(bucket))
      return waiting && takeOut(waiting)
    },
    hasAny: () => all.size > 0,
    restore: join,
    due(nowNs, { useNs, denialsNs }) {
      const waiting = [...all.values()]
      for (const each of waiting) if (isEmpty(each)) takeOut(each)
      return waiting
        .filter((each) => {
          const isUseDue = each.useSinceNs !== undefined && nowNs - each.useSinceNs >= useNs
          return !each.isTaken && (isUseDue || nowNs - each.sinceNs >= denialsNs)
        })
        .map(({ bucket }) => bucket)
    },
  }
}

/** The counters' part of a write. */
export const countActions = (counts: Counts): readonly Action[] =>
  Object.entries(counts).flatMap(([name, amount]) => (amount > 0 ? [add(name, BigInt(amount))] : []))

/** The counter of each meter's actual use. */
export const USED: { readonly [M in Meter]: `used_${M}` } = {
  requests: 'used_requests',
  tokens: 'used_tokens',
  input_tokens: 'used_input_tokens',
  output_tokens: 'used_output_tokens',
  cost_usd_micros: 'used_cost_usd_micros',
}

/** The counter of the denials by a limit. */
export const deniedCounter = (limitName: string): string => `denied_${limitName}`

/** The counts of an actual cost: `used_*`. */
export const useOf = (cost: Cost): Counts => {
  const use: Record<string, Count> = {}
  for (const meter of METERS) {
    const amount = cost[meter]
    if (amount !== undefined) use[USED[meter]] = amount
  }
  return use
}

export const summed = (a: Counts, b: Counts): Counts => {
  const sum: Record<string, Count> = { ...a }
  for (const [name, amount] of Object.entries(b)) sum[name] = plus(sum[name] ?? 0, amount)
  return sum
}

/** The exact sum, of any size. */
export const plus = (a: Count, b: Count): Count => {
  if (typeof a === 'number' && typeof b === 'number') {
    const sum = a + b
    if (Number.isSafeInteger(sum)) return sum
  }
  return BigInt(a) + BigInt(b)
}

export interface FlushDependencies {
  readonly store: CachedBuckets
  readonly tally: Tally
  readonly clock: Clock
}

const DENIALS_DELAY_NS = 10n * SECOND_NS

/** Concurrent writes of counts, so that decisions do not queue behind thousands of them. */
const AT_ONCE = 8

/** Writes the counts that are due (`all`: every one) by themselves. Counts that were certainly not written stay pending. */
export const flushTally = async (
  deps: FlushDependencies,
  options: { readonly useDelayNs: bigint; readonly all: boolean },
) => {
  const age = options.all
    ? { useNs: 0n, denialsNs: 0n }
    : { useNs: options.useDelayNs, denialsNs: DENIALS_DELAY_NS }
  const due = deps.tally.due(deps.clock.monotonic(), age).values()
  const failures: unknown[] = []
  const flushNext = async (): Promise<void> => {
    for (const bucket of due) await flushOne(deps, bucket).catch((error: unknown) => failures.push(error))
  }
  await Promise.all(Array.from({ length: AT_ONCE }, flushNext))
  if (failures.length > 0) throw failures[0]
}

const flushOne = async ({ store, tally, clock }: FlushDependencies, bucket: BucketId): Promise<void> => {
  const pending = tally.take(bucket)
  if (!pending) return
  try {
    await store.write(bucket, countersWrite(countActions(pending.counts), clock.now()))
  } catch (error) {
    // the store's client logs the failure; counts that the table may contain already are dropped: counting twice is worse
    if (!(error instanceof StoreUnavailable)) throw error
    if (!error.mayHaveApplied) tally.restore(pending)
  }
}
