import type { Receipt } from '../charging/settle-bucket.ts'
import type { Cost, Meter } from '../limit/meter.ts'
import { METERS } from '../limit/meter.ts'

/**
 * Tokens that were charged ahead in one write, and are spent in this process. What is spent was charged at most its life
 * before: in any span T a limit of this rate admits at most capacity + rate × (T + life).
 */
export interface Lease {
  /** What a give-back must know; `charged` is all of the lease. */
  readonly receipt: Receipt
  /** By the steady clock: before its write was sent. */
  readonly startedNs: bigint
  /** By the steady clock, and by the wall clock: both must be before, as one may stand still and the other be set back. */
  readonly endsNs: bigint
  readonly endsAt: bigint
  /** What is not spent, per meter. */
  readonly left: Partial<Record<Meter, number>>
  /** With less than this left of a meter, or from then on by the steady clock, the lease that follows is due. */
  readonly dueBelow: Cost
  readonly dueNs: bigint
  /** True: the lease that follows has been asked for, or none is to be. */
  isFollowed: boolean
}

export const isLive = (lease: Lease, now: bigint, steadyNs: bigint): boolean =>
  steadyNs < lease.endsNs && now < lease.endsAt

/** Whether it is time to charge the lease that follows, so that this one pays until that is there. */
export const isDue = ({ isFollowed, dueNs, dueBelow, left }: Lease, steadyNs: bigint): boolean => {
  if (isFollowed) return false
  if (steadyNs >= dueNs) return true
  for (const meter of METERS) {
    const amount = dueBelow[meter]
    if (amount !== undefined && (left[meter] ?? 0) < amount) return true
  }
  return false
}

/** A cost of nothing, of the lease's meters. */
export const nothingOf = ({ dueBelow }: Lease): Cost =>
  Object.fromEntries(METERS.filter((meter) => dueBelow[meter] !== undefined).map((meter) => [meter, 0]))

/** Whether the lease holds `cost` of all meters that its limits count. */
export const holds = ({ left, receipt }: Lease, cost: Cost): boolean =>
  receipt.limits.every(({ meter }) => {
    const wanted = cost[meter]
    return wanted === undefined || wanted <= (left[meter] ?? -1)
  })

/** Spends what `holds` has said is there; a negative cost puts it back. */
export const spend = ({ left }: Lease, cost: Cost, sign = 1): void => {
  for (const meter of METERS) {
    const held = left[meter]
    if (held !== undefined) left[meter] = held - sign * (cost[meter] ?? 0)
  }
}

/** Whether anything is left to give back. */
export const isSpent = ({ left }: Lease): boolean => METERS.every((meter) => (left[meter] ?? 0) <= 0)

/** Takes all that is left: what is settled from now on goes to the table. */
export const emptied = ({ left }: Lease): Cost => {
  const rest = { ...left }
  for (const meter of METERS) delete left[meter]
  return rest
}
