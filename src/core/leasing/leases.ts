import { SECOND_NS, smaller } from '../algorithms/integers.ts'
import type { BucketItem } from '../bucket/conditional-write.ts'
import { boundOf, type LimitInForce } from '../bucket/limit-in-force.ts'
import { changesIn, fieldsInForce } from '../charging/changed-limits.ts'
import type { Receipt } from '../charging/settle-bucket.ts'
import { type Cost, METERS, type Meter, sumOf } from '../limit/meter.ts'
import type { CacheFactory } from '../ports/cache.ts'
import type { Clock } from '../ports/clock.ts'
import { createDemand } from './demand.ts'
import { holds, isLive, isSpent, type Lease, spend } from './lease.ts'

export interface LeasesOptions {
  readonly clock: Clock
  readonly newCache: CacheFactory
  /** ns after which a lease ends, for limits that do not say it themselves; 0: there are none */
  readonly ttlNs: bigint
}

/** The leases of this process. `key` names the bucket, `limitsText` what it is charged by. */
export interface Leases {
  /** Spends `cost` from a lease that holds all of it; undefined: the table is to be asked. */
  spend(key: string, limitsText: string, cost: Cost): Lease | undefined
  /** What to charge beside `sum`, by recent demand and what is left in the bucket as it was last seen. */
  wanted(
    key: string,
    limits: readonly LimitInForce[],
    sum: Cost,
    item: BucketItem | undefined,
  ): Cost | undefined
  /** Keeps what was charged beside the sum. `item` is the state right after the charge. */
  keep(key: string, made: MadeLease): void
  /** Takes out the leases that are over, or all, with something left: they are to be given back. */
  takeOver(all: boolean): readonly Lease[]
  /** What is left in live leases of a bucket, per meter. */
  heldOf(key: string, limitsText: string): Cost
}

export interface MadeLease {
  readonly limitsText: string
  readonly limits: readonly LimitInForce[]
  readonly extra: Cost
  readonly item: BucketItem
  readonly receipt: Receipt
  readonly startedNs: bigint
}

/** A lease takes at most this part of what is available. */
const SHARE = 10

export const createLeases = ({ clock, newCache, ttlNs }: LeasesOptions): Leases => {
  const demand = createDemand(newCache)
  const held = new Map<string, Lease[]>()

  const live = (key: string): readonly Lease[] => {
    const leases = held.get(key)
    if (leases === undefined) return []
    const [now, steadyNs] = [clock.now(), clock.monotonic()]
    return leases.filter((lease) => isLive(lease, now, steadyNs))
  }

  return {
    spend(key, limitsText, cost) {
      demand.note(key, cost, clock.monotonic())
      const lease = live(key).find((each) => each.limitsText === limitsText && holds(each, cost))
      if (lease) spend(lease, cost)
      return lease
    },
    wanted(key, limits, sum, item) {
      if (item === undefined || lifeOf(limits, sum, ttlNs) === 0n) return undefined
      const expected = demand.expected(key, clock.monotonic())
      return expected && affordable(limits, expected, sum, item, clock.now())
    },
    keep(key, made) {
      const leases = held.get(key)
      const lease = leaseOf(made, ttlNs)
      if (leases) leases.push(lease)
      else held.set(key, [lease])
    },
    takeOver(all) {
      const [now, steadyNs] = [clock.now(), clock.monotonic()]
      const over: Lease[] = []
      for (const [key, leases] of held) {
        const kept = leases.filter((lease) => !all && isLive(lease, now, steadyNs))
        over.push(...leases.filter((lease) => !kept.includes(lease)))
        if (kept.length > 0) held.set(key, kept)
        else held.delete(key)
      }
      return over.filter((lease) => !isSpent(lease))
    },
    heldOf: (key, limitsText) =>
      sumOf(live(key).flatMap((lease) => (lease.limitsText === limitsText ? lease.left : []))),
  }
}

/** What can be charged ahead: of each meter what is expected, and no more than a share of what its tightest limit has left. */
const affordable = (
  limits: readonly LimitInForce[],
  expected: Cost,
  sum: Cost,
  item: BucketItem,
  now: bigint,
): Cost | undefined => {
  const { takeOvers, isLater } = changesIn(item, limits, now, true)
  if (takeOvers.length > 0 || isLater) return undefined
  const extra: Partial<Record<Meter, number>> = {}
  for (const inForce of limits) {
    const { meter } = inForce.limit
    if (sum[meter] === undefined) continue
    const { available } = inForce.algorithm.level(fieldsInForce(item, inForce, now), now)
    const open = available - (inForce.algorithm.capacity - boundOf(inForce)) - sum[meter]
    const most = Math.max(0, Math.floor(open / SHARE))
    extra[meter] = Math.min(extra[meter] ?? expected[meter] ?? 0, most)
  }
  return METERS.some((meter) => (extra[meter] ?? 0) > 0) ? extra : undefined
}

/** How long what is charged of `cost` may be kept: as long as the strictest limit says, 0 where one wants none. */
const lifeOf = (limits: readonly LimitInForce[], cost: Cost, ttlNs: bigint): bigint =>
  limits
    .filter(({ limit }) => cost[limit.meter] !== undefined)
    .map(({ limit }) =>
      limit.leaseTtlSeconds === undefined
        ? ttlNs
        : BigInt(Math.floor(limit.leaseTtlSeconds * 1000)) * (SECOND_NS / 1000n),
    )
    .reduce((least, life) => smaller(least, life), ttlNs === 0n ? 0n : 3600n * SECOND_NS)

/** It ends with its life, or with a window that ends at a fixed time. */
const leaseOf = (made: MadeLease, ttlNs: bigint): Lease => {
  const { limits, limitsText, extra, item, receipt, startedNs } = made
  const { chargedAt } = receipt
  const life = lifeOf(limits, extra, ttlNs)
  const ends = limits.flatMap((inForce) => {
    const { endsInNs } = inForce.algorithm.level(fieldsInForce(item, inForce, chargedAt), chargedAt)
    return endsInNs === undefined ? [] : [chargedAt + endsInNs]
  })
  const endsAt = ends.reduce((least, end) => smaller(least, end), chargedAt + life)
  return { limitsText, receipt, startedNs, endsNs: startedNs + life, endsAt, left: { ...extra } }
}
