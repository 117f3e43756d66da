import type { Cost, Meter } from '../limit/meter.ts'
import { METERS } from '../limit/meter.ts'
import type { Denial } from './denial.ts'
import { holds, isLive, type Lease } from './lease.ts'

/** What this process holds and knows of one bucket, charged by the same limits. */
export interface Slot {
  readonly leases: Lease[]
  readonly asked: Asked
  denial: Denial | undefined
  /** The last time that its table refused a charge for being too busy. */
  throttled: Throttled | undefined
  /** Whether nothing was asked since it was last looked after. */
  isIdle: boolean
  /** True: another has taken its place. */
  isGone: boolean
}

/** By the steady clock. `reach`: how much further ahead leases reached from then on. */
export interface Throttled {
  readonly atNs: bigint
  readonly reach: number
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
  throttled: undefined,
  isIdle: false,
  isGone: false,
})

/** Leases of a throttled bucket reach at most so many times as far: a second ahead. */
export const FURTHEST_REACH = 4
/** After so long without being throttled, half as far again. */
const CALMER_NS = 1_000_000_000n

/** How many times as far as usual leases reach: each throttled write doubles it, each second without halves it. */
export const reachOf = ({ throttled }: Slot, nowNs: bigint): number => {
  if (throttled === undefined) return 1
  const seconds = Number((nowNs - throttled.atNs) / CALMER_NS)
  return Math.max(1, throttled.reach / 2 ** seconds)
}

export const noteThrottled = (slot: Slot, nowNs: bigint): void => {
  const reach = Math.min(FURTHEST_REACH, 2 * reachOf(slot, nowNs))
  slot.throttled = { atNs: nowNs, reach }
}

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

/**
 * What to expect in `reach` quarters of a second, whole amounts per meter; undefined where that is below `fewest` requests.
 */
export const expectedDemand = (
  { asked }: Slot,
  fewest: number,
  reach: number,
  nowNs: bigint,
): ExpectedDemand | undefined => {
  if (nowNs - asked.sinceNs >= AHEAD_NS) turnOver(asked, nowNs)
  const isLess = asked.requests < asked.requestsBefore
  const requests = reach * (isLess ? asked.requestsBefore : asked.requests)
  if (requests < fewest) return undefined
  return { share: fewest / requests, amounts: times(isLess ? asked.amountsBefore : asked.amounts, reach) }
}

const times = (amounts: Cost, factor: number): Cost => {
  const product: Partial<Record<Meter, number>> = {}
  for (const meter of METERS) {
    const amount = amounts[meter]
    if (amount !== undefined) product[meter] = Math.floor(amount * factor)
  }
  return product
}

/** What was asked in a longer time counts as if in one quarter of a second. */
const turnOver = (asked: Asked, nowNs: bigint): void => {
  const share = Number(AHEAD_NS) / Number(nowNs - asked.sinceNs)
  asked.requestsBefore = asked.requests * share
  asked.amountsBefore = times(asked.amounts, share)
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
