import type { LiveTime } from '../bucket/algorithm.ts'
import { bucketKey } from '../bucket/bucket-store.ts'
import { areHeld, metersOf } from '../bucket/effective-limit.ts'
import { createLiveTimes } from '../bucket/live-bucket.ts'
import type { BucketItem } from '../bucket/write.ts'
import type { CachedBucket, CachedBuckets } from '../charge/cached-buckets.ts'
import { type Count, plus, type Tally, USED, type Waiting } from '../charge/counters.ts'
import { denies } from '../charge/denial.ts'
import { type Lease, payingLease } from '../charge/lease.ts'
import type { LeasedBucket, LeaseOwner, Leases } from '../charge/leases.ts'
import { type Cost, METERS, type Meter } from '../model/meter.ts'
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

/** Prepares a resolution's buckets once, for as long as the resolution is cached. */
export const createPreparedBuckets = (
  deps: PreparedBucketsDependencies,
): ((resolution: Resolution) => PreparedBuckets) => {
  const all = new WeakMap<Resolution, PreparedBuckets>()
  const timeOf = createLiveTimes()
  return (resolution) => {
    const cached = all.get(resolution)
    if (cached !== undefined) return cached
    const prepared = new PreparedBuckets(
      resolution.buckets.map((bucket) => new PreparedBucket(deps, bucket)),
      timeOf,
    )
    all.set(resolution, prepared)
    return prepared
  }
}

export class PreparedBuckets {
  readonly buckets: readonly PreparedBucket[]
  readonly #timeOf: (now: bigint) => LiveTime

  constructor(buckets: readonly PreparedBucket[], timeOf: (now: bigint) => LiveTime) {
    this.buckets = buckets
    this.#timeOf = timeOf
  }

  /** In their cached states. */
  views(): readonly BucketView[] {
    return this.buckets.map((bucket) => bucket.view())
  }

  /** The states of all limits at `moment`. */
  states(moment: Moment): readonly LimitState[] {
    const time = this.#timeOf(moment.now)
    const states: LimitState[] = []
    for (const bucket of this.buckets) bucket.addStates(states, moment, time)
    return states
  }
}

/** One bucket of a resolution. */
export class PreparedBucket {
  readonly applicable: ApplicableBucket
  readonly owner: LeaseOwner
  readonly #deps: PreparedBucketsDependencies
  readonly #meters: readonly Meter[]
  readonly #isHeld: boolean
  readonly #states: CachedStates
  #leased: LeasedBucket
  #waiting: Waiting
  /** The entry in the cache, as of `#entriesAdded`. */
  #entry: CachedBucket | undefined
  #entriesAdded = -1

  constructor(deps: PreparedBucketsDependencies, applicable: ApplicableBucket) {
    const { id, limits } = applicable
    this.applicable = applicable
    this.owner = { bucket: id, limits }
    this.#deps = deps
    this.#meters = metersOf(limits)
    this.#isHeld = areHeld(limits)
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
    const into = this.#counts(monotonicNs)
    for (const meter of METERS) {
      const amount = cost[meter]
      if (amount !== undefined && amount > 0) into[USED[meter]] = plus(into[USED[meter]] ?? 0, amount)
    }
    // only entities have usage reports
    if (this.owner.bucket.kind === 'entity') this.#waiting.useSinceNs ??= monotonicNs
  }

  /** Adds one to each counter. */
  countDenials(names: readonly string[], monotonicNs: bigint): void {
    const into = this.#counts(monotonicNs)
    for (const name of names) into[name] = plus(into[name] ?? 0, 1)
  }

  #counts(monotonicNs: bigint): Record<string, Count> {
    if (this.#waiting.isTaken) this.#waiting = this.#deps.tally.waitingOf(this.owner.bucket, monotonicNs)
    return this.#waiting.counts
  }

  addStates(states: LimitState[], moment: Moment, time: LiveTime): void {
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
