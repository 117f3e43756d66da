import { type BucketId, bucketKey } from '../bucket/bucket-id.ts'
import { type Action, add } from '../bucket/conditional-write.ts'
import type { Cost } from '../limit/meter.ts'

/** Increments of a bucket's counters by attribute name: `used_tokens`, `denied`, `denied_rpm`. */
export type Counts = Readonly<Record<string, number>>

/** Counts that wait in this process to go along with the next write to their bucket, or by themselves when due. */
export interface Tally {
  /** `isUse`: real use, due soon; else denials, which may wait longer, as all counts of policies: no usage is made of them. */
  add(bucket: BucketId, counts: Counts, options: { readonly isUse: boolean; readonly nowNs: bigint }): void
  /** Takes what waits for a bucket; the caller writes it, or puts it back. */
  take(bucket: BucketId): Pending | undefined
  putBack(pending: Pending): void
  /** Buckets whose use has waited for `useNs`, or whose denials for `denialsNs` (steady clock). */
  due(nowNs: bigint, age: { readonly useNs: bigint; readonly denialsNs: bigint }): readonly BucketId[]
}

export interface Pending {
  readonly bucket: BucketId
  readonly counts: Counts
  readonly useSinceNs: bigint | undefined
  readonly sinceNs: bigint
}

export const createTally = (): Tally => {
  const waiting = new Map<string, Pending>()
  const join = (pending: Pending): void => {
    const key = bucketKey(pending.bucket)
    const before = waiting.get(key)
    waiting.set(key, before ? merged(before, pending) : pending)
  }
  return {
    add(bucket, counts, { isUse, nowNs }) {
      const isDueSoon = isUse && bucket.kind === 'entity'
      join({ bucket, counts, sinceNs: nowNs, useSinceNs: isDueSoon ? nowNs : undefined })
    },
    take(bucket) {
      const pending = waiting.get(bucketKey(bucket))
      waiting.delete(bucketKey(bucket))
      return pending
    },
    putBack: join,
    due: (nowNs, { useNs, denialsNs }) =>
      [...waiting.values()]
        .filter(({ sinceNs, useSinceNs }) => {
          const isUseDue = useSinceNs !== undefined && nowNs - useSinceNs >= useNs
          return isUseDue || nowNs - sinceNs >= denialsNs
        })
        .map(({ bucket }) => bucket),
  }
}

/** The counters' part of a write. */
export const countActions = (counts: Counts): readonly Action[] =>
  Object.entries(counts).flatMap(([name, amount]) => (amount > 0 ? [add(name, BigInt(amount))] : []))

/** `used_*` for what a request really used. */
export const useOf = (cost: Cost): Counts =>
  Object.fromEntries(Object.entries(cost).map(([meter, amount]) => [`used_${meter}`, amount]))

export const summed = (a: Counts, b: Counts): Counts => {
  const sum: Record<string, number> = { ...a }
  for (const [name, amount] of Object.entries(b)) sum[name] = (sum[name] ?? 0) + amount
  return sum
}

const merged = (a: Pending, b: Pending): Pending => ({
  bucket: a.bucket,
  counts: summed(a.counts, b.counts),
  sinceNs: earlier(a.sinceNs, b.sinceNs) ?? a.sinceNs,
  useSinceNs: earlier(a.useSinceNs, b.useSinceNs),
})

const earlier = (a: bigint | undefined, b: bigint | undefined): bigint | undefined => {
  if (a === undefined || b === undefined) return a ?? b
  return a < b ? a : b
}
