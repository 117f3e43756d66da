import { bucketKey } from '../bucket/bucket-store.ts'
import type { Batches } from '../charge/batches.ts'
import type { CachedBuckets } from '../charge/cached-buckets.ts'
import { plus, type Tally, USED } from '../charge/counters.ts'
import { denies } from '../charge/denial.ts'
import { isDue, type Lease, payingLease, spend } from '../charge/lease.ts'
import { type LeasedBucket, type Leases, noteRequest } from '../charge/leases.ts'
import type { SettlingDependencies } from '../charge/settle.ts'
import { type Cost, METERS } from '../model/meter.ts'
import type { Clock, Moment } from '../ports/platform.ts'
import type { ApplicableBucket, Resolution } from '../resolve/resolution.ts'
import type { Decision } from './decision.ts'
import { type BucketView, neverFits } from './limit-state.ts'
import { LeasedDecision, RememberedDenial } from './memory-decisions.ts'

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
  readonly now: bigint
  readonly monotonicNs: bigint
}

export const createFastPath = (deps: FastPathDependencies): FastPath => {
  const { clock } = deps
  const preparedOf = createPreparedBuckets(deps)
  return {
    prepare: preparedOf,
    decide(prepared, cost, settles, moment) {
      const request = { prepared, cost, now: moment.now, monotonicNs: moment.monotonic }
      const paid = payersOf(request)
      if (paid === undefined) return repeatDenial(deps, request)
      return paid.length > 0 ? allow(deps, request, paid, settles) : undefined
    },
    denies(resolution, cost) {
      if (resolution.buckets.some((bucket) => neverFits(bucket, cost))) return true
      if (!deps.leases.isOn) return false
      const prepared = preparedOf(resolution)
      const request = { prepared, cost, now: clock.now(), monotonicNs: clock.monotonic() }
      return prepared.buckets.some((bucket) => isDeniedBy(deps.store, bucket, request))
    },
  }
}

/**
 * The lease that pays for each bucket; undefined for a bucket without limits on the meters of the cost. An empty list if that is
 * every bucket; undefined if no lease pays for some bucket.
 */
const payersOf = ({
  prepared,
  cost,
  now,
  monotonicNs,
}: FastRequest): readonly (Lease | undefined)[] | undefined => {
  const paid: (Lease | undefined)[] = []
  for (const bucket of prepared.buckets) {
    const isTouched = bucket.touches(cost)
    const lease = isTouched ? payingLease(bucket.leased().leases, cost, now, monotonicNs) : undefined
    if (lease === undefined && isTouched) return undefined
    paid.push(lease)
  }
  return paid.some((lease) => lease !== undefined) ? paid : []
}

const allow = (
  deps: FastPathDependencies,
  { prepared, cost, now, monotonicNs }: FastRequest,
  paid: readonly (Lease | undefined)[],
  settles: boolean,
): Decision => {
  prepared.buckets.forEach((bucket, at) => {
    const lease = paid[at]
    if (lease) pay(deps, bucket, lease, cost, monotonicNs)
    if (!settles) bucket.countUse(cost, monotonicNs)
  })
  deps.metrics.count('decisions_allowed')
  return new LeasedDecision(deps, prepared.views, paid, cost, settles, now, monotonicNs)
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
  const { prepared, cost, now, monotonicNs } = request
  const by = prepared.buckets.find((bucket) => isDeniedBy(deps.store, bucket, request))
  const denial = by?.leased().denial
  if (by === undefined || denial === undefined) return undefined
  prepared.buckets.find(({ applicable }) => applicable.isOwn)?.countDenials(['denied'], monotonicNs)
  by.countDenials(denial.counters, monotonicNs)
  deps.metrics.count('decisions_denied')
  const { limits, item } = denial
  const view: BucketView = { bucket: by.applicable, limits, item, held: deps.leases.heldOf(by.leased()) }
  return new RememberedDenial(prepared.views, view, cost, now)
}

const isDeniedBy = (
  store: CachedBuckets,
  bucket: PreparedBucket,
  { cost, now, monotonicNs }: FastRequest,
): boolean => {
  const { denial } = bucket.leased()
  return denial !== undefined && denies(denial, store.cachedAt(bucket.key), cost, now, monotonicNs)
}

/** One bucket of a resolution, with the lookups of a decision made once. */
interface PreparedBucket {
  readonly applicable: ApplicableBucket
  readonly key: string
  leased(): LeasedBucket
  /** Whether a limit counts a meter of the cost. */
  touches(cost: Cost): boolean
  countUse(cost: Cost, monotonicNs: bigint): void
  /** Adds one to each counter. */
  countDenials(names: readonly string[], monotonicNs: bigint): void
}

export interface PreparedBuckets {
  readonly buckets: readonly PreparedBucket[]
  /** Every bucket in its cached state. */
  views(): readonly BucketView[]
}

/** Prepares a resolution's buckets once, for as long as the resolution is cached. */
const createPreparedBuckets = (deps: FastPathDependencies): ((resolution: Resolution) => PreparedBuckets) => {
  const all = new WeakMap<Resolution, PreparedBuckets>()
  return (resolution) => {
    const cached = all.get(resolution)
    if (cached !== undefined) return cached
    const prepared = preparedBuckets(deps, resolution)
    all.set(resolution, prepared)
    return prepared
  }
}

const preparedBuckets = (deps: FastPathDependencies, resolution: Resolution): PreparedBuckets => {
  const buckets = resolution.buckets.map((bucket) => preparedBucket(deps, bucket))
  return {
    buckets,
    views: () =>
      buckets.map(({ applicable, key, leased }) => ({
        bucket: applicable,
        limits: applicable.limits,
        item: deps.store.cachedAt(key),
        held: deps.leases.heldOf(leased()),
      })),
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
