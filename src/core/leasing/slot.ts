import type { Cost, Meter } from '../limit/meter.ts'
import { METERS } from '../limit/meter.ts'
import type { Denial } from './denial.ts'
import { holds, isLive, type Lease } from './lease.ts'

/** What this process holds and knows of one bucket, charged by the same limits. */
export interface Slot {
  readonly leases: Lease[]
  readonly asked: Asked
  denial: Denial | undefined
  /** Whether nothing was asked since it was last looked after. */
  isIdle: boolean
  /** True: another has taken its place. */
  isGone: boolean
}

/** What was asked of a bucket lately. Times by the steady clock. */
export interface Asked {
  sinceNs: bigint
  requests: number
  amounts: Partial<Record<Meter, number>>
  /** In the quarter of a second before. */
  requestsBefore: number
  amountsBefore: Cost
}

export interface ExpectedDemand {
  readonly amounts: Cost
  /** The part of the amounts that the fewest requests take. */
  readonly share: number
}

/** How far ahead a lease reaches: what was asked for lately in so much time. */
export const AHEAD_NS = 250_000_000n

export const createSlot = (nowNs: bigint): Slot => ({
  leases: [],
  asked: { sinceNs: nowNs, requests: 0, amounts: {}, requestsBefore: 0, amountsBefore: {} },
  denial: undefined,
  isIdle: false,
  isGone: false,
})

/** Counts a request as demand. */
export const noteDemand = (slot: Slot, cost: Cost, nowNs: bigint): void => {
  const { asked } = slot
  slot.isIdle = false
  if (nowNs - asked.sinceNs >= AHEAD_NS) turnOver(asked, nowNs)
  asked.requests++
  for (const meter of METERS) {
    const amount = cost[meter]
    if (amount !== undefined) asked.amounts[meter] = (asked.amounts[meter] ?? 0) + amount
  }
}

/** What to expect in the next quarter of a second, whole amounts per meter; undefined where that is below `fewest` requests. */
export const expectedDemand = (
  { asked }: Slot,
  fewest: number,
  nowNs: bigint,
): ExpectedDemand | undefined => {
  if (nowNs - asked.sinceNs >= AHEAD_NS) turnOver(asked, nowNs)
  const isLess = asked.requests < asked.requestsBefore
  const requests = isLess ? asked.requestsBefore : asked.requests
  if (requests < fewest) return undefined
  return { share: fewest / requests, amounts: { ...(isLess ? asked.amountsBefore : asked.amounts) } }
}

/** What was asked in a longer time counts as if in one quarter of a second. */
const turnOver = (asked: Asked, nowNs: bigint): void => {
  const share = Number(AHEAD_NS) / Number(nowNs - asked.sinceNs)
  const before: Partial<Record<Meter, number>> = {}
  for (const meter of METERS) {
    const amount = asked.amounts[meter]
    if (amount !== undefined) before[meter] = Math.floor(amount * share)
  }
  asked.requestsBefore = asked.requests * share
  asked.amountsBefore = before
  asked.sinceNs = nowNs
  asked.requests = 0
  asked.amounts = {}
}

/** A live lease that holds all of `cost`. */
export const payingLease = (
  { leases }: Slot,
  cost: Cost,
  now: bigint,
  steadyNs: bigint,
): Lease | undefined => {
  for (const lease of leases) if (isLive(lease, now, steadyNs) && holds(lease, cost)) return lease
  return undefined
}
