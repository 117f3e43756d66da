import type { Receipt } from '../bucket/receipt.ts'
import type { Cost, Meter } from '../model/meter.ts'
import type { Instant } from '../ports/platform.ts'

/*
 * A lease in few objects: over many keys, each object that a decision reads is a miss of the processor's caches, and so is each
 * BigInt. Times are numbers, and lists are linked by their members, as an array is two objects more
 * (docs/decisions/084-keep-leases-as-numbers-in-few-objects.md).
 */

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
  readonly endsNs: number
  readonly endsAtNs: number
  /** The next lease is due from then on, by the monotonic clock. */
  readonly dueNs: number
  /** True: the next lease has been requested, or this one is not renewed. */
  isFollowed: boolean
  /** One for each meter that the limits of the bucket count; the lease contains some of them. */
  readonly tokens: LeasedTokens | undefined
  /** The lease that pays after this one. */
  next: Lease | undefined
}

/** The tokens of a lease on one meter. */
export interface LeasedTokens {
  readonly meter: Meter
  /** The remaining tokens; `NOT_LEASED` if the lease does not contain the meter. */
  left: number
  /** The next lease is due if less than this remains. */
  readonly dueBelow: number
  readonly next: LeasedTokens | undefined
}

/** Less than any cost, so that the lease pays for none. */
const NOT_LEASED = -1

/** `leased`: the tokens per meter. `dueShare`: the part of them below which the next lease is due. */
export const createTokens = (
  meters: readonly Meter[],
  leased: Cost,
  dueShare: number,
): LeasedTokens | undefined =>
  meters.reduceRight<LeasedTokens | undefined>((next, meter) => {
    const left = leased[meter]
    return left === undefined
      ? { meter, left: NOT_LEASED, dueBelow: NOT_LEASED, next }
      : { meter, left, dueBelow: Math.ceil(left * dueShare), next }
  }, undefined)

export const isLive = (lease: Lease, { nowNs, monotonicNs }: Instant): boolean =>
  monotonicNs < lease.endsNs && nowNs < lease.endsAtNs

/** Whether to charge the next lease now, so that it is available before this one ends. */
export const isDue = ({ isFollowed, dueNs, tokens }: Lease, monotonicNs: number): boolean => {
  if (isFollowed) return false
  if (monotonicNs >= dueNs) return true
  for (let each = tokens; each !== undefined; each = each.next) if (each.left < each.dueBelow) return true
  return false
}

/** A cost of 0 on each of the lease's meters. */
export const zeroCostOf = (lease: Lease): Cost =>
  Object.fromEntries(Object.keys(restOf(lease)).map((meter) => [meter, 0]))

/** Whether the lease contains `cost`, of all meters that its limits count. */
const holds = (lease: Lease, cost: Cost): boolean => {
  for (let each = lease.tokens; each !== undefined; each = each.next) {
    const wanted = cost[each.meter]
    if (wanted !== undefined && wanted > each.left) return false
  }
  return true
}

/** Spends a cost that the lease contains; a negative cost returns tokens to the lease. */
export const spend = (lease: Lease, cost: Cost): void => {
  for (let each = lease.tokens; each !== undefined; each = each.next) {
    const spent = cost[each.meter]
    if (spent !== undefined && each.left !== NOT_LEASED) each.left -= spent
  }
}

/** Whether the lease can take over the difference between what it paid and the actual usage: one that has ended, only none. */
export const covers = (lease: Lease, paid: Cost, used: Cost, instant: Instant): boolean => {
  for (let each = lease.tokens; each !== undefined; each = each.next) {
    const difference = differenceOn(each.meter, paid, used)
    const isHeld = each.left !== NOT_LEASED && difference <= each.left && isLive(lease, instant)
    if (difference !== 0 && !isHeld) return false
  }
  return true
}

/** Replaces what the lease paid by the actual usage, which it covers. */
export const replacePaid = (lease: Lease, paid: Cost, used: Cost): void => {
  for (let each = lease.tokens; each !== undefined; each = each.next)
    if (each.left !== NOT_LEASED) each.left -= differenceOn(each.meter, paid, used)
}

/** An absent meter stays as it was paid. */
const differenceOn = (meter: Meter, paid: Cost, used: Cost): number => {
  const charged = paid[meter] ?? 0
  return (used[meter] ?? charged) - charged
}

/** The remaining tokens, per meter of the lease. */
export const restOf = (lease: Lease): Cost => {
  const rest: Partial<Record<Meter, number>> = {}
  for (let each = lease.tokens; each !== undefined; each = each.next)
    if (each.left !== NOT_LEASED) rest[each.meter] = each.left
  return rest
}

export const isSpent = (lease: Lease): boolean => {
  for (let each = lease.tokens; each !== undefined; each = each.next) if (each.left > 0) return false
  return true
}

/** Removes and returns the remaining tokens: later settlements are written to the table. */
export const emptied = (lease: Lease): Cost => {
  const rest = restOf(lease)
  for (let each = lease.tokens; each !== undefined; each = each.next) each.left = NOT_LEASED
  return rest
}

/** The first live lease, of `first` and those after it, that contains all of `cost`. */
export const payingLease = (first: Lease | undefined, cost: Cost, instant: Instant): Lease | undefined => {
  for (let lease = first; lease !== undefined; lease = lease.next)
    if (isLive(lease, instant) && holds(lease, cost)) return lease
  return undefined
}

/** The remaining tokens of the live leases on one meter. */
export const leftOf = (first: Lease | undefined, meter: Meter, instant: Instant): number => {
  let sum = 0
  for (let lease = first; lease !== undefined; lease = lease.next)
    if (isLive(lease, instant)) sum += restOn(lease, meter)
  return sum
}

const restOn = ({ tokens }: Lease, meter: Meter): number => {
  for (let each = tokens; each !== undefined; each = each.next)
    if (each.meter === meter) return Math.max(0, each.left)
  return 0
}
