import type { Cost, Meter } from '../model/meter.ts'

/*
 * The demand for one bucket, and the time that its leases are to last. All times are numbers of ns by the monotonic clock.
 */

/** ns: a lease contains the expected demand of this time. */
export const AHEAD_NS = 250e6

/** The requests for a bucket since `sinceNs`, and in the `AHEAD_NS` before. */
export interface RecentDemand {
  sinceNs: number
  requests: number
  requestsBefore: number
  /** Their costs, one for each meter that the limits of the bucket count. */
  readonly amounts: MeterDemand | undefined
  throttled: Throttled | undefined
}

/** The sum of the costs on one meter, in the same two periods. */
interface MeterDemand {
  readonly meter: Meter
  amount: number
  amountBefore: number
  readonly next: MeterDemand | undefined
}

/** The last time that the table throttled a charge; `reach`: the factor by which leases grew then. */
interface Throttled {
  readonly atNs: number
  readonly reach: number
}

export interface ExpectedDemand {
  readonly amounts: Cost
  /** The share of the amounts that the fewest requests require. */
  readonly share: number
}

/** No demand yet. */
export const noAmounts = (meters: readonly Meter[]): MeterDemand | undefined =>
  meters.reduceRight<MeterDemand | undefined>(
    (next, meter) => ({ meter, amount: 0, amountBefore: 0, next }),
    undefined,
  )

/** Counts one request. */
export const noteDemand = (demand: RecentDemand, cost: Cost, nowNs: number): void => {
  if (nowNs - demand.sinceNs >= AHEAD_NS) turnOver(demand, nowNs)
  demand.requests++
  for (let each = demand.amounts; each !== undefined; each = each.next) each.amount += cost[each.meter] ?? 0
}

/** The expected demand in `reach` × `AHEAD_NS`, in whole amounts per meter; undefined if it is below `fewest` requests. */
export const expectedDemand = (
  demand: RecentDemand,
  fewest: number,
  reach: number,
  nowNs: number,
): ExpectedDemand | undefined => {
  if (nowNs - demand.sinceNs >= AHEAD_NS) turnOver(demand, nowNs)
  const isLess = demand.requests < demand.requestsBefore
  const requests = reach * (isLess ? demand.requestsBefore : demand.requests)
  if (requests < fewest) return undefined
  const amounts: Partial<Record<Meter, number>> = {}
  for (let each = demand.amounts; each !== undefined; each = each.next)
    amounts[each.meter] = Math.floor(reach * (isLess ? each.amountBefore : each.amount))
  return { share: fewest / requests, amounts }
}

/** Begins a new period. Demand of a period longer than `AHEAD_NS` is scaled down to that length. */
const turnOver = (demand: RecentDemand, nowNs: number): void => {
  const share = AHEAD_NS / (nowNs - demand.sinceNs)
  demand.requestsBefore = demand.requests * share
  for (let each = demand.amounts; each !== undefined; each = each.next) {
    each.amountBefore = Math.floor(each.amount * share)
    each.amount = 0
  }
  demand.sinceNs = nowNs
  demand.requests = 0
}

/** The greatest factor by which the leases of a throttled bucket grow: to the demand of a second. */
const FURTHEST_REACH = 4

/** Each such time without throttling halves the factor. */
const CALM_NS = 1e9

/** The factor by which leases grow, at least 1. */
export const reachOf = ({ throttled }: Pick<RecentDemand, 'throttled'>, nowNs: number): number => {
  if (throttled === undefined) return 1
  return Math.max(1, throttled.reach / 2 ** Math.floor((nowNs - throttled.atNs) / CALM_NS))
}

/** Each throttled charge doubles the factor. */
export const noteThrottled = (demand: RecentDemand, nowNs: number): void => {
  demand.throttled = { atNs: nowNs, reach: Math.min(FURTHEST_REACH, 2 * reachOf(demand, nowNs)) }
}
