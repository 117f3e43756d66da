import { type BucketId, bucketKey } from '../bucket/bucket-store.ts'
import { effectiveFields } from '../bucket/carry-over.ts'
import { type EffectiveLimit, metersOf } from '../bucket/effective-limit.ts'
import { receiptOf } from '../bucket/receipt.ts'
import type { BucketItem } from '../bucket/write.ts'
import { type Cost, type Meter, sumOf } from '../model/meter.ts'
import { smaller } from '../model/time.ts'
import { type Clock, type Instant, instantOf, momentOf } from '../ports/platform.ts'
import { AHEAD_NS, noAmounts, noteDemand, noteThrottled, type RecentDemand, reachOf } from './demand.ts'
import type { Denial } from './denial.ts'
import {
  createTokens,
  emptied,
  isDue,
  isLive,
  isSpent,
  type Lease,
  payingLease,
  restOf,
  spend,
} from './lease.ts'
import { leaseSize, leaseTtlOf } from './lease-sizing.ts'
import type { ChargeOutcome, ChargeRequest } from './write-charge.ts'

/** The leases, demand and last denial of one bucket in this process, for one list of limits: one object, as in `lease.ts`. */
export interface LeasedBucket extends RecentDemand {
  /** The lease that pays first; the others follow it. */
  first: Lease | undefined
  /** The last denial by the table, if it can be repeated. */
  denial: Denial | undefined
  /** Whether there has been no request since the last `takeEnded`. */
  isIdle: boolean
  /** True: dropped as idle; `Leases.of` returns another one from now on. */
  isDropped: boolean
}

export interface LeasesOptions {
  readonly clock: Clock
  /** The lifetime of leases in ns, for limits without `lease_ttl_seconds`; 0: there are no leases. */
  readonly ttlNs: bigint
  /** Whether leases are renewed before they end; false if nothing runs after a response. */
  readonly follows: boolean
}

/** A bucket and the limits by which it is charged. */
export type LeaseOwner = Pick<ChargeRequest, 'bucket' | 'limits'>

/** The leases of this process. */
export interface Leases {
  /** False: there are no leases, and every decision is made by the table. */
  readonly isOn: boolean
  /** Created if there is none. */
  of(owner: LeaseOwner): LeasedBucket
  noteDemand(leased: LeasedBucket, cost: Cost): void
  /** Lets the leases of a throttled bucket grow for a while. */
  noteThrottled(leased: LeasedBucket): void
  /** Spends `cost` from a lease that contains all of it; undefined if there is none. */
  spend(leased: LeasedBucket, cost: Cost): Lease | undefined
  /** Whether the next lease is to be charged. */
  isDue(lease: Lease): boolean
  /** Whether a lease contains all of `cost` now. */
  canSpend(owner: LeaseOwner, cost: Cost): boolean
  /** The lease to charge in addition to `cost`, by the recent demand and the amount available in `item`. */
  extraFor(request: LeaseOwner & { readonly cost: Cost }, item: BucketItem | undefined): Cost | undefined
  /** The same if it serves ten requests or more, else undefined. */
  readonly extraForMany: Leases['extraFor']
  /** Keeps the lease that was charged. `startedNs`: the monotonic clock before the write. */
  keep(owner: LeaseOwner, charged: ChargeOutcome, startedNs: bigint): void
  /** Removes the leases that have ended, or `all`; returns those with tokens to refund. Drops idle buckets. */
  takeEnded(all: boolean): readonly Lease[]
  /** Removes all leases of a bucket; returns those with tokens to refund. */
  takeAll(bucket: BucketId): readonly Lease[]
  /** Drops the leases of a bucket that has a new generation: they cannot be refunded. */
  voidAt(key: string): void
  /** The remaining tokens of the live leases, per meter. */
  heldOf(leased: LeasedBucket): Cost
  /** The same of all live leases of a bucket, for any limits. */
  heldAt(bucket: BucketId): Cost
}

/** For fewer requests a lease would not save a write. */
const FEWEST = 2

/** With this many requests per lease, few of them wait for its write. */
const MANY = 10

export const createLeases = ({ clock, ttlNs, follows }: LeasesOptions): Leases => {
  const registry = createRegistry()
  const instant = (): Instant => instantOf(momentOf(clock))
  const of = ({ bucket, limits }: LeaseOwner): LeasedBucket =>
    registry.of(bucketKey(bucket), limits, instant().monotonicNs)
  const payer = ({ first }: LeasedBucket, cost: Cost): Lease | undefined =>
    payingLease(first, cost, instant())
  const heldOf = (leased: LeasedBucket): Cost =>
    leased.first === undefined ? NOTHING : allLeft(leasesOf(leased), instant())
  const extraFor =
    (fewest: number): Leases['extraFor'] =>
    (request, item) => {
      if (ttlNs === 0n || item === undefined) return undefined
      const leased = of(request)
      const sizing = { demand: leased, held: heldOf(leased), item, fewest, ttlNs, moment: momentOf(clock) }
      return leaseSize({ ...request, ...sizing })
    }

  return {
    isOn: ttlNs > 0n,
    of,
    noteThrottled: (leased) => noteThrottled(leased, instant().monotonicNs),
    noteDemand: (leased, cost) => noteRequest(leased, cost, instant().monotonicNs),
    isDue: (lease) => isDue(lease, instant().monotonicNs),
    spend(leased, cost) {
      const lease = payer(leased, cost)
      if (lease) spend(lease, cost)
      return lease
    },
    canSpend: (owner, cost) => payer(of(owner), cost) !== undefined,
    extraFor: extraFor(FEWEST),
    extraForMany: extraFor(MANY),
    keep(owner, charged, startedNs) {
      // the leased bucket may have been dropped during the write
      const leased = of(owner)
      const reach = follows ? reachOf(leased, Number(startedNs)) : undefined
      keepIn(leased, leaseOf(owner.bucket, charged, startedNs, ttlNs, reach))
    },
    takeAll: (bucket) => registry.at(bucketKey(bucket)).flatMap((leased) => takeOut(leased, () => true)),
    voidAt: (key) => registry.at(key).forEach(empty),
    takeEnded(all) {
      const now = instant()
      return takeEnded(registry, (lease) => all || !isLive(lease, now))
    },
    heldAt: (bucket) => sumOf(registry.at(bucketKey(bucket)).map(heldOf)),
    heldOf,
  }
}

const NOTHING: Cost = {}

/** Counts one request as demand. */
export const noteRequest = (leased: LeasedBucket, cost: Cost, monotonicNs: number): void => {
  leased.isIdle = false
  noteDemand(leased, cost, monotonicNs)
}

const takeEnded = (registry: Registry, hasEnded: (lease: Lease) => boolean): readonly Lease[] => {
  const ended: Lease[] = []
  registry.sweep((leased) => {
    if (leased.first !== undefined) ended.push(...takeOut(leased, hasEnded))
    const wasIdle = leased.isIdle
    leased.isIdle = true
    return wasIdle && leased.first === undefined
  })
  return ended
}

const leasesOf = ({ first }: LeasedBucket): readonly Lease[] => {
  const leases: Lease[] = []
  for (let lease = first; lease !== undefined; lease = lease.next) leases.push(lease)
  return leases
}

/** Leases that are no longer in the list are freed one by one: a reservation may still refer to one. */
const link = (leased: LeasedBucket, leases: readonly Lease[]): void => {
  for (const lease of leasesOf(leased)) lease.next = undefined
  leased.first = leases.reduceRight<Lease | undefined>((next, lease) => {
    lease.next = next
    return lease
  }, undefined)
}

/** Leases pay in this order. Spent ones are kept, because settlements may return tokens to them. */
const keepIn = (leased: LeasedBucket, made: Lease): void => {
  const leases = leasesOf(leased)
  const isPaying = (lease: Lease): boolean => !isSpent(lease)
  link(leased, [...leases.filter(isPaying), made, ...leases.filter(isSpent)])
}

const empty = (leased: LeasedBucket): void => {
  for (const lease of leasesOf(leased)) emptied(lease)
  link(leased, [])
  leased.denial = undefined
}

const allLeft = (leases: readonly Lease[], instant: Instant): Cost =>
  sumOf(leases.filter((lease) => isLive(lease, instant)).map(restOf))

/**
 * Removes the leases that have ended; returns those with remaining tokens. The others are emptied: tokens that a settlement
 * returned to one would never be refunded.
 */
const takeOut = (leased: LeasedBucket, hasEnded: (lease: Lease) => boolean): readonly Lease[] => {
  const leases = leasesOf(leased)
  const ended = leases.filter(hasEnded)
  if (ended.length === 0) return ended
  link(
    leased,
    leases.filter((lease) => !ended.includes(lease)),
  )
  for (const lease of ended) if (isSpent(lease)) emptied(lease)
  return ended.filter((lease) => !isSpent(lease))
}

/**
 * A lease that ends after its lifetime, with a window that ends at a fixed time, or at a transition of a limit. Without a `reach`
 * it is not renewed.
 */
const leaseOf = (
  bucket: BucketId,
  { item = {}, limits, extra = {}, chargedAt }: ChargeOutcome,
  startedNs: bigint,
  defaultTtlNs: bigint,
  reach: number | undefined,
): Lease => {
  const ttlNs = leaseTtlOf(limits, extra, defaultTtlNs)
  const ends = limits.flatMap((effective) => {
    const { endsInNs } = effective.algorithm.level(effectiveFields(item, effective, chargedAt), chargedAt)
    const windowEnd = endsInNs === undefined ? [] : [chargedAt + endsInNs]
    return [...windowEnd, ...untilOf(effective)]
  })
  const endsNs = Number(startedNs + ttlNs)
  return {
    receipt: receiptOf({ bucket, limits, item }, extra, chargedAt),
    startedNs,
    endsNs,
    endsAtNs: Number(ends.reduce((least, end) => smaller(least, end), chargedAt + ttlNs)),
    dueNs: endsNs - Math.min(Number(ttlNs) / 2, AHEAD_NS),
    isFollowed: reach === undefined,
    tokens: createTokens(metersOf(limits), extra, 1 / (2 * (reach ?? 1))),
    next: undefined,
  }
}

const untilOf = ({ scheduled }: EffectiveLimit): readonly bigint[] =>
  scheduled?.until === undefined ? [] : [scheduled.until]

type Registry = ReturnType<typeof createRegistry>

/** The leased buckets of this process, by the bucket's key and then by the text of the limits. */
const createRegistry = () => {
  const all = new Map<string, Map<string, LeasedBucket>>()
  return {
    of(key: string, limits: readonly EffectiveLimit[], nowNs: number): LeasedBucket {
      const text = chargingText(limits)
      const ofBucket = all.get(key) ?? new Map<string, LeasedBucket>()
      const leased = ofBucket.get(text) ?? createLeasedBucket(metersOf(limits), nowNs)
      all.set(key, ofBucket.set(text, leased))
      return leased
    },
    at: (key: string): readonly LeasedBucket[] => [...(all.get(key)?.values() ?? [])],
    /** Visits each once, and drops those for which `isUnused` returns true. */
    sweep(isUnused: (leased: LeasedBucket) => boolean): void {
      for (const [key, ofBucket] of all) {
        dropUnused(ofBucket, isUnused)
        if (ofBucket.size === 0) all.delete(key)
      }
    },
  }
}

const dropUnused = (
  ofBucket: Map<string, LeasedBucket>,
  isUnused: (leased: LeasedBucket) => boolean,
): void => {
  for (const [limits, leased] of ofBucket) {
    if (!isUnused(leased)) continue
    leased.isDropped = true
    ofBucket.delete(limits)
  }
}

const createLeasedBucket = (meters: readonly Meter[], nowNs: number): LeasedBucket => ({
  first: undefined,
  sinceNs: nowNs,
  requests: 0,
  requestsBefore: 0,
  amounts: noAmounts(meters),
  throttled: undefined,
  denial: undefined,
  isIdle: false,
  isDropped: false,
})

const texts = new WeakMap<readonly EffectiveLimit[], string>()

/** A text that is equal for two lists of limits only if they charge in the same way. */
export const chargingText = (limits: readonly EffectiveLimit[]): string => {
  const cached = texts.get(limits)
  if (cached !== undefined) return cached
  const text = limits
    .map(({ limit, algorithm, version, headroom }) =>
      [limit.name, limit.meter, algorithm.text, version, headroom, limit.refund].join(' '),
    )
    .join('\n')
  texts.set(limits, text)
  return text
}
