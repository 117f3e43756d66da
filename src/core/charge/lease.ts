import type { Receipt } from '../bucket/receipt.ts'
import { type Cost, METERS, type Meter } from '../model/meter.ts'
import type { Moment } from '../ports/platform.ts'

/**
 * Tokens that one write charged in advance, to be spent in this process. Each token is spent at most the lease's lifetime after
 * it was charged, so in any span T a limit admits at most capacity + rate × (T + lifetime).
 */
export interface Lease {
  /** For the refund of the remainder; `charged` is the whole lease. */
  readonly receipt: Receipt
  /** The monotonic clock before its write was sent. */
  readonly startedNs: bigint
  /** The end by the monotonic and by the wall clock: whichever comes first, as either clock may stand still or be set back. */
  readonly endsNs: bigint
  readonly endsAt: bigint
  /** The meters that the limits of the bucket count; the lease contains some of them. */
  readonly meters: readonly Meter[]
  /** The remaining tokens per meter of the lease. */
  readonly left: Partial<Record<Meter, number>>
  /** The next lease is due if less than this remains of a meter, and from `dueNs` on by the monotonic clock. */
  readonly dueBelow: Cost
  readonly dueNs: bigint
  /** True: the next lease has been requested, or this one is not renewed. */
  isFollowed: boolean
  /** The last moment at which it was live: comparing times takes longer than the rest of spending it. */
  liveAt: Moment | undefined
}

export const isLive = (lease: Lease, now: bigint, monotonicNs: bigint): boolean =>
  monotonicNs < lease.endsNs && now < lease.endsAt

const isLiveAt = (lease: Lease, moment: Moment): boolean => {
  if (lease.liveAt === moment) return true
  if (!isLive(lease, moment.now, moment.monotonic)) return false
  lease.liveAt = moment
  return true
}

/** Whether to charge the next lease now, so that it is available before this one ends. */
export const isDue = ({ isFollowed, dueNs, dueBelow, meters, left }: Lease, monotonicNs: bigint): boolean => {
  if (isFollowed) return false
  if (monotonicNs >= dueNs) return true
  for (const meter of meters) if ((left[meter] ?? 0) < (dueBelow[meter] ?? 0)) return true
  return false
}

/** A cost of 0 on each of the lease's meters. */
export const zeroCostOf = ({ dueBelow }: Lease): Cost =>
  Object.fromEntries(Object.keys(dueBelow).map((meter) => [meter, 0]))

/** Whether the lease contains `cost`, of all meters that its limits count. */
const holds = ({ left, meters }: Lease, cost: Cost): boolean => {
  for (const meter of meters) {
    const wanted = cost[meter]
    if (wanted !== undefined && wanted > (left[meter] ?? -1)) return false
  }
  return true
}

/** Spends a cost that the lease contains; a negative cost returns tokens to the lease. */
export const spend = ({ left, meters }: Lease, cost: Cost): void => {
  for (const meter of meters) {
    const held = left[meter]
    if (held !== undefined) left[meter] = held - (cost[meter] ?? 0)
  }
}

export const isSpent = ({ left }: Lease): boolean => METERS.every((meter) => (left[meter] ?? 0) <= 0)

/** Removes and returns the remaining tokens: later settlements are written to the table. */
export const emptied = ({ left }: Lease): Cost => {
  const rest = { ...left }
  for (const meter of METERS) delete left[meter]
  return rest
}

/** The first live lease that contains all of `cost`. */
export const payingLease = (leases: readonly Lease[], cost: Cost, moment: Moment): Lease | undefined => {
  for (const lease of leases) if (isLiveAt(lease, moment) && holds(lease, cost)) return lease
  return undefined
}

/** The remaining tokens of the live leases on one meter. */
export const leftOf = (leases: readonly Lease[], meter: Meter, moment: Moment): number => {
  let sum = 0
  for (const lease of leases) if (isLiveAt(lease, moment)) sum += lease.left[meter] ?? 0
  return sum
}
