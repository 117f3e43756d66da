import type { Receipt } from '../bucket/receipt.ts'
import { type Cost, METERS, type Meter } from '../model/meter.ts'

/**
 * Tokens that were charged ahead in one write, and are spent in this process. Every token was charged at most the lease's
 * duration before it is spent: in any span T a limit of this rate admits at most capacity + rate × (T + duration).
 */
export interface Lease {
  /** For the refund of what is left; `charged` is all of the lease. */
  readonly receipt: Receipt
  /** By the monotonic clock: before its write was sent. */
  readonly startedNs: bigint
  /** By the monotonic and by the wall clock; the lease ends at the earlier one, as either clock may stand still or be set back. */
  readonly endsNs: bigint
  readonly endsAt: bigint
  /** What is not spent, per meter. */
  readonly left: Partial<Record<Meter, number>>
  /** The next lease is due with less than this left of a meter, or from `dueNs` by the monotonic clock. */
  readonly dueBelow: Cost
  readonly dueNs: bigint
  /** True: the next lease has been requested, or none is to follow. */
  isFollowed: boolean
}

export const isLive = (lease: Lease, now: bigint, monotonicNs: bigint): boolean =>
  monotonicNs < lease.endsNs && now < lease.endsAt

/** Whether to charge the next lease now, so that it is there before this one ends. */
export const isDue = ({ isFollowed, dueNs, dueBelow, left }: Lease, monotonicNs: bigint): boolean => {
  if (isFollowed) return false
  if (monotonicNs >= dueNs) return true
  for (const meter of METERS) {
    const amount = dueBelow[meter]
    if (amount !== undefined && (left[meter] ?? 0) < amount) return true
  }
  return false
}

/** A cost of 0 on each of the lease's meters. */
export const zeroCostOf = ({ dueBelow }: Lease): Cost =>
  Object.fromEntries(METERS.filter((meter) => dueBelow[meter] !== undefined).map((meter) => [meter, 0]))

/** Whether the lease holds `cost` of all meters that its limits count. */
const holds = ({ left, receipt }: Lease, cost: Cost): boolean =>
  receipt.limits.every(({ meter }) => {
    const wanted = cost[meter]
    return wanted === undefined || wanted <= (left[meter] ?? -1)
  })

/** Spends a cost that the lease `holds`; a negative cost returns it to the lease. */
export const spend = ({ left }: Lease, cost: Cost): void => {
  for (const meter of METERS) {
    const held = left[meter]
    if (held !== undefined) left[meter] = held - (cost[meter] ?? 0)
  }
}

export const isSpent = ({ left }: Lease): boolean => METERS.every((meter) => (left[meter] ?? 0) <= 0)

/** Takes all that is left: settlements from now on go to the table. */
export const emptied = ({ left }: Lease): Cost => {
  const rest = { ...left }
  for (const meter of METERS) delete left[meter]
  return rest
}

/** A live lease that holds all of `cost`. */
export const payingLease = (
  leases: readonly Lease[],
  cost: Cost,
  now: bigint,
  monotonicNs: bigint,
): Lease | undefined => {
  for (const lease of leases) if (isLive(lease, now, monotonicNs) && holds(lease, cost)) return lease
  return undefined
}
