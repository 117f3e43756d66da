import { bucketKey } from '../bucket/bucket-store.ts'
import { createLiveTimes, type LiveBuckets } from '../bucket/live-bucket.ts'
import type { Batches } from '../charge/batches.ts'
import type { CachedBuckets } from '../charge/cached-buckets.ts'
import { plus, type Tally, USED } from '../charge/counters.ts'
import { denies } from '../charge/denial.ts'
import { isDue, type Lease, payingLease, spend } from '../charge/lease.ts'
import { type LeasedBucket, type Leases, noteRequest } from '../charge/leases.ts'
import type { SettlingDependencies } from '../charge/settle.ts'
import { type Cost, METERS } from '../model/meter.ts'
import { type Clock, type Moment, momentOf } from '../ports/platform.ts'
import type { ApplicableBucket, Resolution } from '../resolve/resolution.ts'
import type { Decision, LimitState } from './decision.ts'
import { type BucketView, limitStates, neverFits } from './limit-state.ts'
import { type LeasedBuckets, LeasedDecision, RememberedDenial } from './memory-decisions.ts'
import { CachedStates } from './numeric-limits.ts'

/** Decides requests without a write: those that leases pay for, and repetitions of a denial. */
export interface FastPath {
  /** The buckets of a resolution, for as long as it is cached. */
  prepare(resolution: Resolution): PreparedBuckets
  /** Undefined if the table must decide. `cost` has been validated. */
  decide(prepared: PreparedBuckets, cost: Cost, settles: boolean, moment: Moment): Decision | undefined
  /** Whether `cost` fits no state of a bucket, or a remembered denial holds for it. Counts nothing. */
  denies(resolution: Resolution, cost: Cost): boolean
}

export interface FastPathDependencies extends SettlingDependencies {
  readonly store: CachedBuckets
  readonly batches: Batches
  readonly leases: Leases
  readonly clock: Clock
  readonly tally: Tally
}

/** A request at the moment of its decision. */
interface FastRequest {
  readonly prepared: PreparedBuckets
  readonly cost: Cost
  readonly moment: Moment
}

export const createFastPath = (deps: FastPathDependencies): FastPath => {
  const { clock } = deps
  const preparedOf = createPreparedBuckets(deps)
  return {
    prepare: preparedOf,
    decide(prepared, cost, settles, moment) {
      const request = { prepared, cost, moment }
      const paid = payersOf(request)
      if (paid === undefined) return repeatDenial(deps, request)
      return paid.length > 0 ? allow(deps, request, paid, settles) : undefined
    },
    denies(resolution, cost) {
      if (resolution.buckets.some((bucket) => neverFits(bucket, cost))) return true
      if (!deps.leases.isOn) return false
      const prepared = preparedOf(resolution)
      const request = { prepared, cost, moment: momentOf(clock) }
      return prepared.buckets.some((bucket) => isDeniedBy(deps.store, bucket, request))
    },
  }
}

const NONE: readonly undefined[] = []

/**
 * The lease that pays for each bucket; undefined for a bucket without limits on the meters of the cost. An empty list if that is
 * every bucket; undefined if no lease pays for some bucket.
 */
const payersOf = ({ prepared, cost, moment }: FastRequest): readonly (Lease | undefined)[] | undefined => {
  const paid: (Lease | undefined)[] = []
  let isAnyPaid = false
  for (const bucket of prepared.buckets) {
    const isTouched = bucket.touches(cost)
    const lease = isTouched
      ? payingLease(bucket.leased().leases, cost, moment.now, moment.monotonic)
      : undefined
    if (lease === undefined && isTouched) return undefined
    if (isTouched) isAnyPaid = true
    paid.push(lease)
  }
  return isAnyPaid ? paid : NONE
}

const allow = (
  deps: FastPathDependencies,
  { prepared, cost, moment }: FastRequest,
  paid: readonly (Lease | undefined)[],
  settles: boolean,
): Decision => {
  let at = 0
  for (const bucket of prepared.buckets) {
    const lease = paid[at++]
    if (lease) pay(deps, bucket, lease, cost, moment.monotonic)
    if (!settles) bucket.countUse(cost, moment.monotonic)
  }
  deps.metrics.count('decisions_allowed')
  return new LeasedDecision(deps, prepared, paid, cost, settles, moment)
}

const pay = (
  { batches }: FastPathDependencies,
  { applicable, leased }: PreparedBucket,
  lease: Lease,
  cost: Cost,
  monotonicNs: bigint,
): void => {
  noteRequest(leased(), cost, monotonicNs)
  spend(lease, cost)
  if (isDue(lease, monotonicNs)) batches.renew({ bucket: applicable.id, limits: applicable.limits }, lease)
}

const repeatDenial = (deps: FastPathDependencies, request: FastRequest): Decision | undefined => {
  const { prepared, cost, moment } = request
  const by = prepared.buckets.find((bucket) => isDeniedBy(deps.store, bucket, request))
  const denial = by?.leased().denial
  if (by === undefined || denial === undefined) return undefined
  prepared.buckets.find(({ applicable }) => applicable.isOwn)?.countDenials(['denied'], moment.monotonic)
  by.countDenials(denial.counters, moment.monotonic)
  deps.metrics.count('decisions_denied')
  const { limits, item } = denial
  const view: BucketView = { bucket: by.applicable, limits, item, held: deps.leases.heldOf(by.leased()) }
  return new RememberedDenial(prepared.views, view, cost, moment.now)
}

const isDeniedBy = (store: CachedBuckets, bucket: PreparedBucket, { cost, moment }: FastRequest): boolean => {
  const { denial } = bucket.leased()
  return (
    denial !== undefined && denies(denial, store.cachedAt(bucket.key), cost, moment.now, moment.monotonic)
  )
}

/** One bucket of a resolution, with the lookups of a decision made once. */
interface PreparedBucket {
  readonly applicable: ApplicableBucket
  readonly key: string
  readonly cached: CachedStates
  leased(): LeasedBucket
  /** Whether a limit counts a meter of the cost. */
  touches(cost: Cost): boolean
  countUse(cost: Cost, monotonicNs: bigint): void
  /** Adds one to each counter. */
  countDenials(names: readonly string[], monotonicNs: bigint): void
}

export interface PreparedBuckets extends LeasedBuckets {
  readonly buckets: readonly PreparedBucket[]
}

/** Prepares a resolution's buckets once, for as long as the resolution is cached. */
const createPreparedBuckets = (deps: FastPathDependencies): ((resolution: Resolution) => PreparedBuckets) => {
  const all = new WeakMap<Resolution, PreparedBuckets>()
  const timeOf = createLiveTimes()
  return (resolution) => {
    const cached = all.get(resolution)
    if (cached !== undefined) return cached
    const prepared = preparedBuckets(deps, resolution, timeOf)
    all.set(resolution, prepared)
    return prepared
  }
}

const preparedBuckets = (
  deps: FastPathDependencies,
  resolution: Resolution,
  timeOf: LiveBuckets['timeOf'],
): PreparedBuckets => {
  const { store, leases } = deps
  const buckets = resolution.buckets.map((bucket) => preparedBucket(deps, bucket))
  const viewOf = ({ applicable, key, leased }: PreparedBucket): BucketView => ({
    bucket: applicable,
    limits: applicable.limits,
    item: store.cachedAt(key),
    held: leases.heldOf(leased()),
  })
  return {
    buckets,
    views: () => buckets.map(viewOf),
    states(moment) {
      const states: LimitState[] = []
      for (const bucket of buckets) {
        const item = store.cachedAt(bucket.key)
        if (bucket.cached.addTo(states, item, bucket.leased(), moment, timeOf(moment.now))) continue
        states.push(...limitStates(viewOf(bucket), moment.now))
      }
      return states
    },
  }
}

const preparedBucket = (
  { leases, clock, tally }: FastPathDependencies,
  applicable: ApplicableBucket,
): PreparedBucket => {
  const { id, limits } = applicable
  const owner = { bucket: id, limits }
  const meters = [...new Set(limits.map(({ limit }) => limit.meter))]
  const isUsageReported = id.kind === 'entity'
  let leased = leases.of(owner)
  let waiting = tally.waitingOf(id, clock.monotonic())
  const counts = (monotonicNs: bigint) => {
    if (waiting.isTaken) waiting = tally.waitingOf(id, monotonicNs)
    return waiting.counts
  }
  return {
    applicable,
    key: bucketKey(id),
    cached: new CachedStates(applicable),
    leased() {
      if (leased.isDropped) leased = leases.of(owner)
      return leased
    },
    touches(cost) {
      for (const meter of meters) if (cost[meter] !== undefined) return true
      return false
    },
    countUse(cost, monotonicNs) {
      const into = counts(monotonicNs)
      for (const meter of METERS) {
        const amount = cost[meter]
        if (amount !== undefined && amount > 0) into[USED[meter]] = plus(into[USED[meter]] ?? 0, amount)
      }
      if (isUsageReported) waiting.useSinceNs ??= monotonicNs
    },
    countDenials(names, monotonicNs) {
      const into = counts(monotonicNs)
      for (const name of names) into[name] = plus(into[name] ?? 0, 1)
    },
  }
}
