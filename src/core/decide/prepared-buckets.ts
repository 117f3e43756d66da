import type { LiveTime } from '../bucket/algorithm.ts'
import { bucketKey } from '../bucket/bucket-store.ts'
import { areHeld, metersOf } from '../bucket/effective-limit.ts'
import { createLiveTimes } from '../bucket/live-bucket.ts'
import type { BucketItem } from '../bucket/write.ts'
import type { CachedBucket, CachedBuckets } from '../charge/cached-buckets.ts'
import { addDenials, addUse, type Tally, type Waiting } from '../charge/counters.ts'
import { denies } from '../charge/denial.ts'
import { type Lease, payingLease } from '../charge/lease.ts'
import type { LeasedBucket, LeaseOwner, Leases } from '../charge/leases.ts'
import type { Cost, Meter } from '../model/meter.ts'
import type { Clock, Instant, Moment } from '../ports/platform.ts'
import type { ApplicableBucket, Resolution } from '../resolve/resolution.ts'
import type { LimitState } from './decision.ts'
import { type BucketView, limitStates } from './limit-state.ts'
import { CachedStates } from './numeric-limits.ts'

/*
 * The buckets of a cached resolution, with the look-ups of leased decisions made once. These are classes: over many keys, each
 * object that a decision reads is a miss of the processor's caches, and a closure is two.
 */

export interface PreparedBucketsDependencies {
  readonly store: CachedBuckets
  readonly leases: Leases
  readonly clock: Clock
  readonly tally: Tally
}

/** Prepares a resolution's buckets once, for as long as the resolution is cached. Returns the first, which the others follow. */
export const createPreparedBuckets = (
  deps: PreparedBucketsDependencies,
): ((resolution: Resolution) => PreparedBucket | undefined) => {
  const all = new WeakMap<Resolution, PreparedBucket | undefined>()
  const timed = { ...deps, timeOf: createLiveTimes() }
  return (resolution) => {
    const cached = all.get(resolution)
    if (cached !== undefined) return cached
    const first = resolution.buckets.reduceRight<PreparedBucket | undefined>(
      (next, bucket) => new PreparedBucket(timed, bucket, next),
      undefined,
    )
    all.set(resolution, first)
    return first
  }
}

export const bucketsOf = (first: PreparedBucket | undefined): readonly PreparedBucket[] => {
  const buckets: PreparedBucket[] = []
  for (let bucket = first; bucket !== undefined; bucket = bucket.next) buckets.push(bucket)
  return buckets
}

/** The states of all limits at `moment`. */
export const statesOf = (first: PreparedBucket, moment: Moment): readonly LimitState[] => {
  const states: LimitState[] = []
  for (let bucket: PreparedBucket | undefined = first; bucket !== undefined; bucket = bucket.next)
    bucket.addStates(states, moment)
  return states
}

interface TimedDependencies extends PreparedBucketsDependencies {
  timeOf(now: bigint): LiveTime
}

/** One bucket of a resolution. */
export class PreparedBucket {
  readonly applicable: ApplicableBucket
  readonly owner: LeaseOwner
  /** The next bucket of the resolution: an array would be two more objects to read. */
  readonly next: PreparedBucket | undefined
  readonly #deps: TimedDependencies
  readonly #meters: readonly Meter[]
  readonly #isHeld: boolean
  /** Only entities have usage reports. */
  readonly #isReported: boolean
  readonly #states: CachedStates
  #leased: LeasedBucket
  #waiting: Waiting
  /** The entry in the cache, as of `#entriesAdded`. */
  #entry: CachedBucket | undefined
  #entriesAdded = -1

  constructor(deps: TimedDependencies, applicable: ApplicableBucket, next: PreparedBucket | undefined) {
    const { id, limits } = applicable
    this.applicable = applicable
    this.next = next
    this.owner = { bucket: id, limits }
    this.#deps = deps
    this.#meters = metersOf(limits)
    this.#isHeld = areHeld(limits)
    this.#isReported = id.kind === 'entity'
    this.#states = new CachedStates(applicable)
    this.#leased = deps.leases.of(this.owner)
    this.#waiting = deps.tally.waitingOf(id, deps.clock.monotonic())
  }

  leased(): LeasedBucket {
    if (this.#leased.isDropped) this.#leased = this.#deps.leases.of(this.owner)
    return this.#leased
  }

  /** Whether a limit counts a meter of the cost, or requires a slot, for which no lease pays. */
  touches(cost: Cost): boolean {
    for (const meter of this.#meters) if (cost[meter] !== undefined) return true
    return this.#isHeld
  }

  payerOf(cost: Cost, instant: Instant): Lease | undefined {
    return payingLease(this.leased().first, cost, instant)
  }

  /** Whether a remembered denial holds for the cost. */
  denies(cost: Cost, { now, monotonic }: Moment): boolean {
    const { denial } = this.leased()
    return denial !== undefined && denies(denial, this.#item(), cost, now, monotonic)
  }

  countUse(cost: Cost, monotonicNs: bigint): void {
    const waiting = this.#untaken(monotonicNs)
    addUse(waiting, cost)
    if (this.#isReported) waiting.useSinceNs ??= monotonicNs
  }

  /** Adds one to each counter. */
  countDenials(names: readonly string[], monotonicNs: bigint): void {
    const waiting = this.#untaken(monotonicNs)
    for (const name of names) addDenials(waiting, name, 1)
  }

  #untaken(monotonicNs: bigint): Waiting {
    if (this.#waiting.isTaken) this.#waiting = this.#deps.tally.waitingOf(this.owner.bucket, monotonicNs)
    return this.#waiting
  }

  addStates(states: LimitState[], moment: Moment): void {
    const time = this.#deps.timeOf(moment.now)
    if (this.#states.addTo(states, this.#item(), this.leased(), moment, time)) return
    states.push(...limitStates(this.view(), moment.now))
  }

  view(): BucketView {
    return {
      bucket: this.applicable,
      limits: this.applicable.limits,
      item: this.#item(),
      held: this.#deps.leases.heldOf(this.leased()),
    }
  }

  #item(): BucketItem | undefined {
    const { store } = this.#deps
    if (this.#entriesAdded !== store.entries.added || this.#entry?.item === undefined) {
      this.#entriesAdded = store.entries.added
      this.#entry = store.entryAt(bucketKey(this.owner.bucket))
    }
    return this.#entry?.item
  }
}
