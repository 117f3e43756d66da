import { type Cost, METERS, type Meter } from '../model/meter.ts'
import { MS_NS, SECOND_NS } from '../model/time.ts'

/*
 * The demand for one bucket, and the time that its leases are to last. All times are by the monotonic clock.
 */

/** A lease contains the expected demand of this time. */
export const AHEAD_NS = 250n * MS_NS

/** The requests for a bucket, and the sum of their costs, since `sinceNs` and in the `AHEAD_NS` before. */
export interface RecentDemand {
  sinceNs: bigint
  /** `AHEAD_NS` after `sinceNs`: comparing it with each request's time computes no BigInt. */
  untilNs: bigint
  requests: number
  amounts: Partial<Record<Meter, number>>
  requestsBefore: number
  amountsBefore: Cost
  throttled: Throttled | undefined
}

/** The last time that the table throttled a charge; `reach`: the factor by which leases grew then. */
interface Throttled {
  readonly atNs: bigint
  readonly reach: number
}

export interface ExpectedDemand {
  readonly amounts: Cost
  /** The share of the amounts that the fewest requests require. */
  readonly share: number
}

export const createDemand = (nowNs: bigint): RecentDemand => ({
  sinceNs: nowNs,
  untilNs: nowNs + AHEAD_NS,
  requests: 0,
  amounts: {},
  requestsBefore: 0,
  amountsBefore: {},
  throttled: undefined,
})

/** Counts one request. */
export const noteDemand = (demand: RecentDemand, cost: Cost, nowNs: bigint): void => {
  if (nowNs >= demand.untilNs) turnOver(demand, nowNs)
  demand.requests++
  for (const meter of METERS) {
    const amount = cost[meter]
    if (amount !== undefined) demand.amounts[meter] = (demand.amounts[meter] ?? 0) + amount
  }
}

/** The expected demand in `reach` × `AHEAD_NS`, in whole amounts per meter; undefined if it is below `fewest` requests. */
export const expectedDemand = (
  demand: RecentDemand,
  fewest: number,
  reach: number,
  nowNs: bigint,
): ExpectedDemand | undefined => {
  if (nowNs >= demand.untilNs) turnOver(demand, nowNs)
  const isLess = demand.requests < demand.requestsBefore
  const requests = reach * (isLess ? demand.requestsBefore : demand.requests)
  if (requests < fewest) return undefined
  return { share: fewest / requests, amounts: times(isLess ? demand.amountsBefore : demand.amounts, reach) }
}

const times = (amounts: Cost, factor: number): Cost => {
  const product: Partial<Record<Meter, number>> = {}
  for (const meter of METERS) {
    const amount = amounts[meter]
    if (amount !== undefined) product[meter] = Math.floor(amount * factor)
  }
  return product
}

/** Begins a new period. Demand of a period longer than `AHEAD_NS` is scaled down to that length. */
const turnOver = (demand: RecentDemand, nowNs: bigint): void => {
  const share = Number(AHEAD_NS) / Number(nowNs - demand.sinceNs)
  demand.requestsBefore = demand.requests * share
  demand.amountsBefore = times(demand.amounts, share)
  demand.sinceNs = nowNs
  demand.untilNs = nowNs + AHEAD_NS
  demand.requests = 0
  demand.amounts = {}
}

/** The greatest factor by which the leases of a throttled bucket grow: to the demand of a second. */
const FURTHEST_REACH = 4

/** Each such time without throttling halves the factor. */
const CALM_NS = SECOND_NS

/** The factor by which leases grow, at least 1. */
export const reachOf = ({ throttled }: RecentDemand, nowNs: bigint): number => {
  if (throttled === undefined) return 1
  const seconds = Number((nowNs - throttled.atNs) / CALM_NS)
  return Math.max(1, throttled.reach / 2 ** seconds)
}

/** Each throttled charge doubles the factor. */
export const noteThrottled = (demand: RecentDemand, nowNs: bigint): void => {
  demand.throttled = { atNs: nowNs, reach: Math.min(FURTHEST_REACH, 2 * reachOf(demand, nowNs)) }
}
