import { type BucketId, bucketKey } from '../bucket/bucket-store.ts'
import { effectiveFields } from '../bucket/carry-over.ts'
import type { EffectiveLimit } from '../bucket/effective-limit.ts'
import type { Receipt } from '../bucket/receipt.ts'
import type { BucketItem } from '../bucket/write.ts'
import { type Cost, METERS, type Meter, sumOf } from '../model/meter.ts'
import { smaller } from '../model/time.ts'
import type { Clock } from '../ports/platform.ts'
import {
  AHEAD_NS,
  createSlots,
  emptied,
  isDue,
  isLive,
  isSpent,
  type Lease,
  noteDemand,
  noteThrottled,
  payingLease,
  reachOf,
  type Slot,
  spend,
} from './lease.ts'
import { leaseSize, leaseTtlOf } from './lease-sizing.ts'

export interface LeasesOptions {
  readonly clock: Clock
  /** ns after which a lease ends, for limits that do not say it themselves; 0: there are none */
  readonly ttlNs: bigint
  /** Whether a lease is followed by another before it ends; not where nothing runs after an answer. */
  readonly follows: boolean
}

/** The leases of this process, and what else it knows of busy buckets. */
export interface Leases {
  /** False: every decision asks the table. */
  readonly isOn: boolean
  /** The slot of a bucket that is charged by `limits`; made where there is none. */
  slotOf(bucket: BucketId, limits: readonly EffectiveLimit[]): Slot
  /** Counts a request as demand. */
  note(slot: Slot, cost: Cost): void
  /** Lets leases grow for a while, as their table refuses charges for being too busy. */
  noteThrottled(slot: Slot): void
  /** Spends `cost` from a lease that holds all of it; undefined: the table is to be asked. */
  spend(slot: Slot, cost: Cost): Lease | undefined
  /** Whether the lease that follows is to be charged. */
  isDue(lease: Lease): boolean
  /** Whether a lease holds all of `cost` now. */
  canSpend(bucket: BucketId, limits: readonly EffectiveLimit[], cost: Cost): boolean
  /** What to charge beside `sum`, by recent demand and what is left in the bucket as it was last seen. */
  wanted(
    slot: Slot,
    limits: readonly EffectiveLimit[],
    sum: Cost,
    item: BucketItem | undefined,
  ): Cost | undefined
  /** The same, where it serves ten requests or more. */
  readonly wantedOfMany: Leases['wanted']
  /** Keeps what was charged beside the sum. */
  keep(slot: Slot, made: MadeLease): void
  /** Takes out the leases that are over, or all, with something left: they are to be given back. Forgets idle buckets. */
  takeEnded(all: boolean): readonly Lease[]
  /** Takes all leases of a bucket out that have something left: they are to be given back. */
  takeBack(bucket: BucketId): readonly Lease[]
  /** Forgets what is held and known of a bucket that has begun another life: nothing of it can be given back. */
  voidAt(key: string): void
  /** What is left in live leases of a slot, per meter. */
  heldOf(slot: Slot): Cost
  /** What is left in all live leases of a bucket, whatever it is charged by. */
  heldAt(bucket: BucketId): Cost
}

export interface MadeLease {
  readonly limits: readonly EffectiveLimit[]
  readonly extra: Cost
  /** The state right after the charge. */
  readonly item: BucketItem
  readonly receipt: Receipt
  readonly startedNs: bigint
}

/** For fewer requests a lease would not save a write. */
const FEWEST = 2

/** From so many on, few wait for a lease's write. */
const MANY = 10

export const createLeases = ({ clock, ttlNs, follows }: LeasesOptions): Leases => {
  const slots = createSlots()
  const isOver = (lease: Lease): boolean => !isLive(lease, clock.now(), clock.monotonic())
  const payer = (slot: Slot, cost: Cost): Lease | undefined =>
    payingLease(slot, cost, clock.now(), clock.monotonic())
  const heldOf = ({ leases }: Slot): Cost =>
    leases.length === 0 ? NOTHING : leftOf(leases, clock.now(), clock.monotonic())
  const wantedFor =
    (fewest: number): Leases['wanted'] =>
    (slot, limits, sum, item) => {
      if (item === undefined) return undefined
      const moment = { now: clock.now(), monotonicNs: clock.monotonic() }
      return leaseSize({ slot, limits, sum, held: heldOf(slot), item, fewest, ttlNs, ...moment })
    }

  return {
    isOn: ttlNs > 0n,
    slotOf: (bucket, limits) => slots.of(bucket, limits, clock.monotonic()),
    noteThrottled: (slot) => noteThrottled(slot, clock.monotonic()),
    note: (slot, cost) => noteDemand(slot, cost, clock.monotonic()),
    isDue: (lease) => isDue(lease, clock.monotonic()),
    spend(slot, cost) {
      const lease = payer(slot, cost)
      if (lease) spend(lease, cost)
      return lease
    },
    canSpend: (bucket, limits, cost) =>
      payer(slots.of(bucket, limits, clock.monotonic()), cost) !== undefined,
    wanted: wantedFor(FEWEST),
    wantedOfMany: wantedFor(MANY),
    keep: (slot, made) =>
      keepIn(slot, leaseOf(made, ttlNs, follows ? reachOf(slot, made.startedNs) : undefined)),
    takeBack: (bucket) => slots.at(bucketKey(bucket)).flatMap((slot) => takeOut(slot, () => true)),
    voidAt: (key) => slots.at(key).forEach(forget),
    takeEnded(all) {
      const over: Lease[] = []
      slots.sweep((slot) => {
        over.push(...takeOut(slot, (lease) => all || isOver(lease)))
        const wasIdle = slot.isIdle
        slot.isIdle = true
        return wasIdle && slot.leases.length === 0
      })
      return over
    },
    heldAt: (bucket) => sumOf(slots.at(bucketKey(bucket)).map(heldOf)),
    heldOf,
  }
}

const NOTHING: Cost = {}

/** Leases pay in this order; spent ones stay, for what is settled may come back to them. */
const keepIn = ({ leases }: Slot, made: Lease): void => {
  const spent = leases.filter(isSpent)
  const paying = leases.filter((lease) => !spent.includes(lease))
  leases.splice(0, leases.length, ...paying, made, ...spent)
}

const forget = (slot: Slot): void => {
  for (const lease of slot.leases.splice(0)) emptied(lease)
  slot.denial = undefined
}

/** What is left in those that live. */
const leftOf = (leases: readonly Lease[], now: bigint, monotonicNs: bigint): Cost =>
  sumOf(leases.filter((lease) => isLive(lease, now, monotonicNs)).map(({ left }) => left))

/** Takes the leases out of a slot that are over; those with something left. */
const takeOut = (slot: Slot, isOver: (lease: Lease) => boolean): readonly Lease[] => {
  const over = slot.leases.filter(isOver)
  const kept = slot.leases.filter((lease) => !over.includes(lease))
  slot.leases.splice(0, slot.leases.length, ...kept)
  return over.filter((lease) => !isSpent(lease))
}

/** It ends with its life, or with a window that ends at a fixed time. Without a `reach` none is to follow it. */
const leaseOf = (made: MadeLease, ttlNs: bigint, reach: number | undefined): Lease => {
  const { limits, extra, item, receipt, startedNs } = made
  const { chargedAt } = receipt
  const life = leaseTtlOf(limits, extra, ttlNs)
  const ends = limits.flatMap((effective) => {
    const { endsInNs } = effective.algorithm.level(effectiveFields(item, effective, chargedAt), chargedAt)
    return endsInNs === undefined ? [] : [chargedAt + endsInNs]
  })
  const endsAt = ends.reduce((least, end) => smaller(least, end), chargedAt + life)
  const endsNs = startedNs + life
  const dueNs = endsNs - smaller(life / 2n, AHEAD_NS)
  return {
    receipt,
    startedNs,
    endsNs,
    endsAt,
    left: { ...extra },
    dueBelow: partOf(extra, 1 / (2 * (reach ?? 1))),
    dueNs,
    isFollowed: reach === undefined,
  }
}

const partOf = (cost: Cost, part: number): Cost => {
  const parts: Partial<Record<Meter, number>> = {}
  for (const meter of METERS) {
    const amount = cost[meter]
    if (amount !== undefined) parts[meter] = amount * part
  }
  return parts
}
