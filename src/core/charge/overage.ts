import type { BucketId } from '../bucket/bucket-store.ts'
import type { LimitReceipt } from '../bucket/receipt.ts'
import { algorithmFor, type Correction, fieldsIn } from '../bucket/settle-plan.ts'
import type { BucketItem } from '../bucket/write.ts'
import { type Cost, METERS, type Meter } from '../model/meter.ts'

/*
 * The amount that a caller's settlement may charge to shared buckets.
 *
 * A caller reports their use when they settle, and zael cannot verify it. Their own buckets are charged in full, into debt if
 * necessary. On buckets of their parents and of policies, the use beyond the reservation (the overage) is bounded:
 *
 *   charged to the shared bucket ≤ min(overage, available to the caller's own buckets before, available in the shared bucket)
 *
 * The middle term is computed from the item that the write to the own bucket returned, so it is the state that this write
 * changed: no other node can have charged in between, and no other settlement counts the same tokens as available.
 *
 * Why this is enough. Let every write to an own limit be a step i, which charges d_i when a_i is available. A check has
 * d_i ≤ a_i and charges shared buckets s_i = d_i; a settlement charges them s_i ≤ min(d_i, a_i). Consider a second limit of the
 * same size that is charged s_i at each step: as s_i ≤ d_i, it never has less available than the real one, and as s_i ≤ a_i,
 * each charge fits it. It is never in debt, so in any span T it is charged at most capacity + rate × T, which is all that the
 * shared bucket is charged for this caller. This holds for each own limit alone, so the least a_i of all of them applies.
 * With leases, a step is the write that charged the lease: its tokens are spent, and the shared buckets charged, up to one lease
 * lifetime later, so the bound is capacity + rate × (T + lifetime). Tokens in a lease are in use in the table, so never part of
 * a_i. The own bucket is written first: a process that stops in between has charged the shared buckets less, never more.
 */

/** The use of a meter beyond the reservation. */
export interface Overage {
  readonly meter: Meter
  /** Above 0. */
  readonly amount: number
  /** False: the caller has no limit of their own on this meter, so only the shared bucket's limits bound the amount. */
  readonly isBounded: boolean
}

export const isOwn = (bucket: BucketId, callerId: string): boolean =>
  bucket.kind === 'entity' && bucket.entityId === callerId

/** A bucket right after the write that settled it. */
export interface Settled {
  readonly item: BucketItem
  /** The time of the write, ns since the epoch. */
  readonly now: bigint
}

/** A bucket of the caller after it was settled. */
export interface SettledOwn {
  /** Undefined if it is unknown what was charged. */
  readonly limits: readonly LimitReceipt[] | undefined
  readonly corrections: readonly Correction[]
  /** Undefined if the bucket was not, or may not have been, written. */
  readonly settled: Settled | undefined
}

/** The amounts that shared buckets may be charged beyond the reservation, by the amounts that the own buckets had available. */
export const overageOf = (reserved: Cost, used: Cost, own: readonly SettledOwn[]): readonly Overage[] =>
  METERS.flatMap((meter): readonly Overage[] => {
    const named = reserved[meter]
    if (named === undefined) return []
    const wanted = (used[meter] ?? named) - named
    const available = own.flatMap((each) => availableBefore(each, meter))
    const amount = Math.min(wanted, ...available)
    return amount > 0 ? [{ meter, amount, isBounded: available.length > 0 }] : []
  })

/** The amount of a meter that each enforced limit of an own bucket had available right before its settlement; 0 if unknown. */
const availableBefore = ({ limits, corrections, settled }: SettledOwn, meter: Meter): readonly number[] => {
  if (limits === undefined) return [0]
  return limits.filter(isBinding(meter)).map((limit) => {
    if (settled === undefined) return 0
    const charged = corrections.find(({ receipt }) => receipt.limitName === limit.limitName)?.difference ?? 0
    return availableIn(settled.item, limit, settled.now, charged)
  })
}

const isBinding =
  (meter: Meter) =>
  (limit: LimitReceipt): boolean =>
    limit.meter === meter && !limit.soft

const MILLION = 1_000_000n

/** Whole tokens of a limit that are available to the caller in a state, as if `charged` had not been charged. */
const availableIn = (item: BucketItem | undefined, limit: LimitReceipt, now: bigint, charged = 0): number => {
  const algorithm = algorithmFor(item, limit)
  const used = algorithm.usedMillionths(fieldsIn(item, limit) ?? {}, now) - BigInt(charged) * MILLION
  const free = BigInt(algorithm.capacity - limit.headroom) * MILLION - (used > 0n ? used : 0n)
  return free > 0n ? Number(free / MILLION) : 0
}

/**
 * The part of an overage that a shared bucket in the state of a snapshot is charged: of each meter as much as all its enforced
 * limits have available. If neither the caller nor the bucket has an enforced limit on a meter, a limit of mode `warn` or
 * `shadow` must have room for all of it: an unbounded amount is not counted as use.
 */
export const partOfOverage = (
  limits: readonly LimitReceipt[],
  overage: readonly Overage[],
  snapshot: BucketItem | undefined,
  now: bigint,
): Cost => {
  const part: Partial<Record<Meter, number>> = {}
  for (const { meter, amount, isBounded } of overage) {
    const binding = limits.filter(isBinding(meter))
    const available = (limit: LimitReceipt): number => availableIn(snapshot, limit, now)
    const takes = Math.min(amount, ...binding.map(available))
    const isCovered = isBounded || binding.length > 0 || fitsSoft(limits, meter, amount, available)
    part[meter] = isCovered ? takes : 0
  }
  return part
}

const fitsSoft = (
  limits: readonly LimitReceipt[],
  meter: Meter,
  amount: number,
  available: (limit: LimitReceipt) => number,
): boolean => limits.some((limit) => limit.meter === meter && limit.soft && available(limit) >= amount)

/** Whether less than the overage is available in a snapshot: then the bucket is read before the rest is dropped. */
export const isShort = (
  limits: readonly LimitReceipt[],
  overage: readonly Overage[],
  snapshot: BucketItem | undefined,
  now: bigint,
): boolean => {
  const part = partOfOverage(limits, overage, snapshot, now)
  return overage.some(({ meter, amount }) => (part[meter] ?? 0) < amount)
}
