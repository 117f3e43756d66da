import { changesIn, effectiveFields } from '../bucket/carry-over.ts'
import { areHeld, boundOf, type EffectiveLimit } from '../bucket/effective-limit.ts'
import type { BucketItem } from '../bucket/write.ts'
import { type Cost, IN_FLIGHT, METERS, type Meter, onMeter } from '../model/meter.ts'
import { HOUR_NS, MS_NS, smaller } from '../model/time.ts'
import { instantOf, type Moment } from '../ports/platform.ts'
import { AHEAD_NS, type ExpectedDemand, expectedDemand, type RecentDemand, reachOf } from './demand.ts'

/** The inputs that determine the size of a lease. */
export interface Sizing {
  readonly demand: RecentDemand
  readonly limits: readonly EffectiveLimit[]
  /** The cost that the same write charges. */
  readonly cost: Cost
  /** The remaining tokens of existing leases. */
  readonly held: Cost
  /** The cached state of the bucket. */
  readonly item: BucketItem
  /** The number of expected requests below which there is no lease. */
  readonly fewest: number
  readonly ttlNs: bigint
  readonly moment: Moment
}

/** All leases of a process together contain at most this share of the available amount; the larger one if writes are throttled. */
const SHARE = 1 / 10

const LARGEST_SHARE = 1 / 4

/** The lease to charge, by the recent demand and the available amount; undefined if it is not worth it. */
export const leaseSize = (sizing: Sizing): Cost | undefined => {
  const { demand, limits, cost, fewest, ttlNs, moment } = sizing
  const { monotonicNs } = instantOf(moment)
  const leaseTtlNs = leaseTtlOf(limits, cost, ttlNs)
  if (leaseTtlNs === 0n) return undefined
  // the next lease is charged before this one ends: tokens that cannot be spent by then would only be refunded
  const longest = Math.max(1, Number(leaseTtlNs) / AHEAD_NS - 1)
  const reach = Math.min(reachOf(demand, monotonicNs), longest)
  const expected = expectedDemand(demand, fewest, reach, monotonicNs)
  return expected && affordable(sizing, expected, Math.min(reach * SHARE, LARGEST_SHARE))
}

/**
 * The expected demand of each meter, reduced so that existing leases and this one contain at most the share `most` of the
 * amount available in the meter's tightest limit; undefined if that would serve fewer than the fewest requests.
 */
const affordable = (
  { limits, cost, held, item, moment: { now } }: Sizing,
  { amounts, share }: ExpectedDemand,
  most: number,
): Cost | undefined => {
  const { carryOvers, isLater } = changesIn(item, limits, now, true)
  if (carryOvers.length > 0 || isLater) return undefined
  const extra: Partial<Record<Meter, number>> = {}
  for (const effective of limits) {
    const { meter } = effective.limit
    if (meter === IN_FLIGHT || cost[meter] === undefined) continue
    const { available } = effective.algorithm.level(effectiveFields(item, effective, now), now)
    const open = available - (effective.algorithm.capacity - boundOf(effective)) - cost[meter]
    const ahead = held[meter] ?? 0
    const room = Math.max(0, Math.floor((open + ahead) * most) - ahead)
    extra[meter] = Math.min(extra[meter] ?? amounts[meter] ?? 0, room)
  }
  const isWorth = METERS.every((meter) => {
    const amount = extra[meter]
    return amount === undefined || amount >= (amounts[meter] ?? 0) * share
  })
  return isWorth && METERS.some((meter) => (extra[meter] ?? 0) > 0) ? extra : undefined
}

/**
 * The lifetime of a lease of `cost`: the shortest of its limits', 0 if one of them has no leases. Beside a concurrency limit there
 * are none: each request must find a slot in the table, in the same write.
 */
export const leaseTtlOf = (limits: readonly EffectiveLimit[], cost: Cost, ttlNs: bigint): bigint => {
  if (areHeld(limits)) return 0n
  return limits
    .filter(({ limit }) => onMeter(cost, limit.meter) !== undefined)
    .map(({ limit }) =>
      limit.leaseTtlSeconds === undefined ? ttlNs : BigInt(Math.floor(limit.leaseTtlSeconds * 1000)) * MS_NS,
    )
    .reduce((least, each) => smaller(least, each), ttlNs === 0n ? 0n : HOUR_NS)
}
