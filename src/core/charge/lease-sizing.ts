import { changesIn, effectiveFields } from '../bucket/carry-over.ts'
import { boundOf, type EffectiveLimit } from '../bucket/effective-limit.ts'
import type { BucketItem } from '../bucket/write.ts'
import { type Cost, METERS, type Meter } from '../model/meter.ts'
import { HOUR_NS, MS_NS, smaller } from '../model/time.ts'
import { AHEAD_NS, type ExpectedDemand, expectedDemand, type RecentDemand, reachOf } from './demand.ts'

/** What a lease is sized by. */
export interface Sizing {
  readonly demand: RecentDemand
  readonly limits: readonly EffectiveLimit[]
  /** What is charged now. */
  readonly cost: Cost
  /** What is charged ahead already. */
  readonly held: Cost
  /** The bucket as cached. */
  readonly item: BucketItem
  /** Requests that it must be likely to serve. */
  readonly fewest: number
  readonly ttlNs: bigint
  readonly now: bigint
  readonly monotonicNs: bigint
}

/** Leases take at most this part of what is available, and where writes are throttled up to the larger one. */
const SHARE = 1 / 10

const LARGEST_SHARE = 1 / 4

/** What to charge beside the cost, by recent demand and what is left in the bucket; undefined if a lease is not worth it. */
export const leaseSize = (sizing: Sizing): Cost | undefined => {
  const { demand, limits, cost, fewest, ttlNs, monotonicNs } = sizing
  const leaseTtlNs = leaseTtlOf(limits, cost, ttlNs)
  if (leaseTtlNs === 0n) return undefined
  // the next one is charged before this one ends: what could not be spent by then would only go back
  const longest = Math.max(1, Number(leaseTtlNs) / Number(AHEAD_NS) - 1)
  const reach = Math.min(reachOf(demand, monotonicNs), longest)
  const expected = expectedDemand(demand, fewest, reach, monotonicNs)
  return expected && affordable(sizing, expected, Math.min(reach * SHARE, LARGEST_SHARE))
}

/**
 * What can be charged ahead: of each meter what is expected, and together with what is held no more than a part of what its
 * tightest limit has left; nothing where that would not serve the fewest requests.
 */
const affordable = (
  { limits, cost, held, item, now }: Sizing,
  { amounts, share }: ExpectedDemand,
  most: number,
): Cost | undefined => {
  const { carryOvers, isLater } = changesIn(item, limits, now, true)
  if (carryOvers.length > 0 || isLater) return undefined
  const extra: Partial<Record<Meter, number>> = {}
  for (const effective of limits) {
    const { meter } = effective.limit
    if (cost[meter] === undefined) continue
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

/** How long what is charged of `cost` may be kept: the shortest duration of its limits, 0 if one has no leases. */
export const leaseTtlOf = (limits: readonly EffectiveLimit[], cost: Cost, ttlNs: bigint): bigint =>
  limits
    .filter(({ limit }) => cost[limit.meter] !== undefined)
    .map(({ limit }) =>
      limit.leaseTtlSeconds === undefined ? ttlNs : BigInt(Math.floor(limit.leaseTtlSeconds * 1000)) * MS_NS,
    )
    .reduce((least, each) => smaller(least, each), ttlNs === 0n ? 0n : HOUR_NS)
