import { type BucketId, bucketKey } from '../bucket/bucket-store.ts'
import type { EffectiveLimit } from '../bucket/effective-limit.ts'
import type { Receipt } from '../bucket/receipt.ts'
import { type Cost, METERS, type Meter } from '../model/meter.ts'
import type { Denial } from './denial.ts'

/**
 * Tokens that were charged ahead in one write, and are spent in this process. What is spent was charged at most its life
 * before: in any span T a limit of this rate admits at most capacity + rate × (T + life).
 */
export interface Lease {
  /** What a give-back must know; `charged` is all of the lease. */
  readonly receipt: Receipt
  /** By the monotonic clock: before its write was sent. */
  readonly startedNs: bigint
  /** By the monotonic clock, and by the wall clock: both must be before, as one may stand still and the other be set back. */
  readonly endsNs: bigint
  readonly endsAt: bigint
  /** What is not spent, per meter. */
  readonly left: Partial<Record<Meter, number>>
  /** With less than this left of a meter, or from then on by the monotonic clock, the lease that follows is due. */
  readonly dueBelow: Cost
  readonly dueNs: bigint
  /** True: the lease that follows has been asked for, or none is to be. */
  isFollowed: boolean
}

export const isLive = (lease: Lease, now: bigint, monotonicNs: bigint): boolean =>
  monotonicNs < lease.endsNs && now < lease.endsAt

/** Whether it is time to charge the lease that follows, so that this one pays until that is there. */
export const isDue = ({ isFollowed, dueNs, dueBelow, left }: Lease, monotonicNs: bigint): boolean => {
  if (isFollowed) return false
  if (monotonicNs >= dueNs) return true
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

/** What this process holds and knows of one bucket, charged by the same limits. */
export interface Slot {
  readonly leases: Lease[]
  readonly demand: RecentDemand
  denial: Denial | undefined
  /** The last time that its table refused a charge for being too busy. */
  throttled: Throttled | undefined
  /** Whether nothing was asked since it was last looked after. */
  isIdle: boolean
  /** True: another has taken its place. */
  isGone: boolean
}

/** By the monotonic clock. `reach`: how much further ahead leases reached from then on. */
export interface Throttled {
  readonly atNs: bigint
  readonly reach: number
}

/** What was asked of a bucket lately. Times by the monotonic clock. */
export interface RecentDemand {
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
  demand: { sinceNs: nowNs, requests: 0, amounts: {}, requestsBefore: 0, amountsBefore: {} },
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
  const { demand: asked } = slot
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
  { demand: asked }: Slot,
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
const turnOver = (asked: RecentDemand, nowNs: bigint): void => {
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
  monotonicNs: bigint,
): Lease | undefined => {
  for (const lease of leases) if (isLive(lease, now, monotonicNs) && holds(lease, cost)) return lease
  return undefined
}

/** The slots of this process: one for each bucket and list of limits that it is charged by. */
export interface Slots {
  /** Made where there is none. */
  of(bucket: BucketId, limits: readonly EffectiveLimit[], nowNs: bigint): Slot
  /** All of a bucket, by its key. */
  at(key: string): readonly Slot[]
  /** Hands out every slot once; those of which `isOver` says so go. */
  sweep(isOver: (slot: Slot) => boolean): void
}

export const createSlots = (): Slots => {
  /** By the bucket's key, then by the text of the limits. */
  const all = new Map<string, Map<string, Slot>>()
  return {
    of(bucket, limits, nowNs) {
      const [key, text] = [bucketKey(bucket), chargingText(limits)]
      const ofBucket = all.get(key) ?? new Map<string, Slot>()
      const slot = ofBucket.get(text) ?? createSlot(nowNs)
      all.set(key, ofBucket.set(text, slot))
      return slot
    },
    at: (key) => [...(all.get(key)?.values() ?? [])],
    sweep(isOver) {
      for (const [key, ofBucket] of all) {
        sweepBucket(ofBucket, isOver)
        if (ofBucket.size === 0) all.delete(key)
      }
    },
  }
}

const sweepBucket = (ofBucket: Map<string, Slot>, isOver: (slot: Slot) => boolean): void => {
  for (const [text, slot] of ofBucket) {
    if (!isOver(slot)) continue
    slot.isGone = true
    ofBucket.delete(text)
  }
}

const texts = new WeakMap<readonly EffectiveLimit[], string>()

/** A text that two lists of limits share only where they charge alike. */
export const chargingText = (limits: readonly EffectiveLimit[]): string => {
  const known = texts.get(limits)
  if (known !== undefined) return known
  const text = limits
    .map(({ limit, algorithm, version, headroom }) =>
      [limit.name, limit.meter, algorithm.text, version, headroom, limit.refund].join(' '),
    )
    .join('\n')
  texts.set(limits, text)
  return text
}
