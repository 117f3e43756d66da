import type { Batches } from '../charge/batches.ts'
import type { CachedBuckets } from '../charge/cached-buckets.ts'
import type { Tally } from '../charge/counters.ts'
import { isDue, type Lease, spend } from '../charge/lease.ts'
import { type Leases, noteRequest } from '../charge/leases.ts'
import type { SettlingDependencies } from '../charge/settle.ts'
import type { Cost } from '../model/meter.ts'
import { type Clock, type Instant, instantOf, type Moment, momentOf } from '../ports/platform.ts'
import type { Resolution } from '../resolve/resolution.ts'
import type { Decision } from './decision.ts'
import { type BucketView, neverFits } from './limit-state.ts'
import { LeasedDecision, RememberedDenial } from './memory-decisions.ts'
import { bucketsOf, createPreparedBuckets, type PreparedBucket } from './prepared-buckets.ts'

/** Decides requests without a write: those that leases pay for, and repetitions of a denial. */
export interface FastPath {
  /** The first bucket of a resolution, by which the others are linked, for as long as it is cached. */
  prepare(resolution: Resolution): PreparedBucket | undefined
  /** Undefined if the table must decide. `cost` has been validated. */
  decide(first: PreparedBucket, cost: Cost, settles: boolean, moment: Moment): Decision | undefined
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
  /** The first bucket. */
  readonly first: PreparedBucket
  readonly cost: Cost
  readonly moment: Moment
  readonly instant: Instant
}

export const createFastPath = (deps: FastPathDependencies): FastPath => {
  const { clock } = deps
  const preparedOf = createPreparedBuckets(deps)
  return {
    prepare: preparedOf,
    decide(first, cost, settles, moment) {
      const request = { first, cost, moment, instant: instantOf(moment) }
      const paid = payersOf(request)
      if (paid === undefined) return repeatDenial(deps, request)
      return paid.length > 0 ? allow(deps, request, paid, settles) : undefined
    },
    denies(resolution, cost) {
      if (resolution.buckets.some((bucket) => neverFits(bucket, cost))) return true
      if (!deps.leases.isOn) return false
      const moment = momentOf(clock)
      return bucketsOf(preparedOf(resolution)).some((bucket) => bucket.denies(cost, moment))
    },
  }
}

const NONE: readonly undefined[] = []

/**
 * The lease that pays for each bucket; undefined for a bucket without limits on the meters of the cost. An empty list if that is
 * every bucket; undefined if no lease pays for some bucket.
 */
const payersOf = ({ first, cost, instant }: FastRequest): readonly (Lease | undefined)[] | undefined => {
  const paid: (Lease | undefined)[] = []
  let isAnyPaid = false
  for (let bucket: PreparedBucket | undefined = first; bucket !== undefined; bucket = bucket.next) {
    const isTouched = bucket.touches(cost)
    const lease = isTouched ? bucket.payerOf(cost, instant) : undefined
    if (lease === undefined && isTouched) return undefined
    if (isTouched) isAnyPaid = true
    paid.push(lease)
  }
  return isAnyPaid ? paid : NONE
}

const allow = (
  deps: FastPathDependencies,
  { first, cost, moment, instant }: FastRequest,
  paid: readonly (Lease | undefined)[],
  settles: boolean,
): Decision => {
  let at = 0
  for (let bucket: PreparedBucket | undefined = first; bucket !== undefined; bucket = bucket.next) {
    const lease = paid[at++]
    if (lease) pay(deps, bucket, lease, cost, instant.monotonicNs)
    if (!settles) bucket.countUse(cost, moment.monotonic)
  }
  deps.metrics.count('decisions_allowed')
  return new LeasedDecision(deps, first, paid, cost, settles, moment)
}

const pay = (
  { batches }: FastPathDependencies,
  bucket: PreparedBucket,
  lease: Lease,
  cost: Cost,
  monotonicNs: number,
): void => {
  noteRequest(bucket.leased(), cost, monotonicNs)
  spend(lease, cost)
  if (isDue(lease, monotonicNs)) batches.renew(bucket.owner, lease)
}

const repeatDenial = (deps: FastPathDependencies, request: FastRequest): Decision | undefined => {
  const { first, cost, moment } = request
  const buckets = bucketsOf(first)
  const by = buckets.find((bucket) => bucket.denies(cost, moment))
  const denial = by?.leased().denial
  if (by === undefined || denial === undefined) return undefined
  buckets.find(({ applicable }) => applicable.isOwn)?.countDenials(['denied'], moment.monotonic)
  by.countDenials(denial.counters, moment.monotonic)
  deps.metrics.count('decisions_denied')
  const { limits, item } = denial
  const view: BucketView = { bucket: by.applicable, limits, item, held: deps.leases.heldOf(by.leased()) }
  return new RememberedDenial(first, view, cost, moment.now)
}
