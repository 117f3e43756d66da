import { bucketKey } from '../bucket/bucket-store.ts'
import { changesIn } from '../bucket/carry-over.ts'
import { fitsAtAll, limitChargesOf, waitNsOf } from '../bucket/charge-plan.ts'
import { areHeld, type EffectiveLimit } from '../bucket/effective-limit.ts'
import type { BucketItem } from '../bucket/write.ts'
import { StoreUnavailable } from '../model/errors.ts'
import { isEnforced } from '../model/limit.ts'
import { beyond, type ChargedCost, METERS, sumOf } from '../model/meter.ts'
import { type Counts, summed } from './counters.ts'
import { denies, rememberedDenial } from './denial.ts'
import { refundTogether } from './joint-refunds.ts'
import { type Lease, zeroCostOf } from './lease.ts'
import { chargingText, type LeaseOwner, type Leases } from './leases.ts'
import { refundLeases, type SettlingDependencies } from './settle.ts'
import {
  type ChargeOutcome,
  type ChargeRequest,
  type WriteChargeDependencies,
  writeCharge,
} from './write-charge.ts'

/*
 * A process has at most one write per bucket in flight. Requests that arrive in the meantime share the next one, which charges
 * their sum, and a lease if the demand is worth it.
 */

export interface BatchDependencies extends WriteChargeDependencies, SettlingDependencies {
  readonly leases: Leases
}

export interface Batches {
  /** The outcome by a lease or a remembered denial; undefined if a write must decide. Counts the request as demand. */
  fromMemory(request: ChargeRequest): ChargeOutcome | undefined
  /** Charges or denies the request on its own, in a write that it may share with others. Throws `StoreUnavailable`. */
  charge(request: ChargeRequest): Promise<ChargeOutcome>
  /** Charges the lease that follows `lease`. Does nothing if a write is in flight: the next one charges a lease itself. */
  renew(owner: LeaseOwner, lease: Lease): void
  /** Resolves when all writes of `renew` have succeeded or failed. */
  renewed(): Promise<unknown>
}

/** Charges on limits that only warn are neither shared nor leased: each request must be compared with the limit. */
const isShareable = ({ limits }: LeaseOwner): boolean => limits.every(({ limit }) => isEnforced(limit))

/** Repeats a remembered denial while it holds. */
const deniedFromMemory = (
  { store, clock, leases }: BatchDependencies,
  { bucket, limits, cost }: ChargeRequest,
): ChargeOutcome | undefined => {
  const { denial } = leases.of({ bucket, limits })
  const item = store.cached(bucket)
  const now = clock.now()
  if (denial === undefined || !denies(denial, item, cost, now, clock.monotonic())) return undefined
  return { result: 'denied', item, limits, exceeded: [], chargedAt: now }
}

/** Spends the cost from a lease that contains all of it. */
const paidByLease = (
  { store, tally, clock, leases }: BatchDependencies,
  { bucket, limits, cost, counts }: ChargeRequest,
): ChargeOutcome | undefined => {
  if (!leases.isOn) return undefined
  const lease = leases.spend(leases.of({ bucket, limits }), cost)
  if (!lease) return undefined
  tally.add(bucket, counts, { isUse: true, nowNs: clock.monotonic() })
  const { chargedAt } = lease.receipt
  return { result: 'charged', item: store.cached(bucket), limits, exceeded: [], chargedAt, lease }
}

/** A request that waits for its batch. */
interface Waiting {
  readonly request: ChargeRequest
  resolve(outcome: ChargeOutcome): void
  reject(error: unknown): void
}

export const createBatches = (deps: BatchDependencies): Batches => {
  /** The waiting requests by the bucket's key; an entry exists while a write to the bucket is in flight. */
  const queues = new Map<string, Waiting[]>()
  const renewals = new Set<Promise<void>>()

  const open = (key: string, ...first: Waiting[]): Waiting[] => {
    queues.set(key, first)
    return first
  }
  const serve = async (key: string, queue: Waiting[]): Promise<void> => {
    while (queue.length > 0) {
      const batch = takeAlike(queue).filter((waiting) => !resolvedByLease(deps, waiting))
      try {
        await chargeBatch(deps, batch)
      } catch (error) {
        for (const { reject } of batch) reject(error)
      }
    }
    queues.delete(key)
  }

  const renew = (owner: LeaseOwner, lease: Lease): void => {
    lease.isFollowed = true
    const key = bucketKey(owner.bucket)
    if (queues.has(key)) return
    const queue = open(key)
    const renewal = renewLease(deps, owner, lease).then(() => void serve(key, queue))
    renewals.add(renewal)
    void renewal.then(() => renewals.delete(renewal))
  }

  return {
    fromMemory(request) {
      const { leases } = deps
      if (!leases.isOn || !isShareable(request)) return undefined
      leases.noteDemand(leases.of(request), request.cost)
      const paid = paidByLease(deps, request)
      if (paid?.lease && leases.isDue(paid.lease)) renew(request, paid.lease)
      return paid ?? deniedFromMemory(deps, request)
    },
    charge(request) {
      if (!isShareable(request)) return writeCharge(deps, request)
      const key = bucketKey(request.bucket)
      return new Promise((resolve, reject) => {
        const waiting = { request, resolve, reject }
        const queue = queues.get(key)
        if (queue) queue.push(waiting)
        else void serve(key, open(key, waiting))
      })
    },
    renew,
    renewed: () => Promise.all(renewals),
  }
}

/**
 * Charges the lease that follows `lease`, if the demand is worth it. Never throws: the store's client logs a failed write, the
 * next request that requires the table fails itself, and the charge of a write whose response was lost refills with time.
 */
const renewLease = async (deps: BatchDependencies, owner: LeaseOwner, lease: Lease): Promise<void> => {
  const { leases, store, clock } = deps
  const { bucket, limits } = owner
  const request = { bucket, limits, cost: zeroCostOf(lease), counts: {}, isLatest: false }
  const startedNs = clock.monotonic()
  try {
    const extra = leases.extraForMany(request, store.cached(bucket))
    const outcome = extra && (await writeCharge(deps, request, extra))
    keepLease(deps, request, outcome, startedNs)
  } catch (error) {
    noteThrottled(leases, owner, error)
  }
}

/** Whether the lease that the previous write charged pays for a request that waited for that write. */
const resolvedByLease = (deps: BatchDependencies, { request, resolve }: Waiting): boolean => {
  const paid = paidByLease(deps, request)
  if (paid) resolve(paid)
  return paid !== undefined
}

/** Removes and returns the first request of the queue, and all others that are charged by the same limits. */
const takeAlike = (queue: Waiting[]): readonly Waiting[] => {
  const [first] = queue
  if (first === undefined) return []
  const text = chargingText(first.request.limits)
  const alike = queue.filter(({ request }) => chargingText(request.limits) === text)
  queue.splice(0, queue.length, ...queue.filter((waiting) => !alike.includes(waiting)))
  return alike
}

/** The number of denied sums of one batch after which the remaining requests are `contended`. */
const MAX_DENIED_SUMS = 3

/**
 * The batch loop: resolves or rejects every request of `batch`. If the sum is denied, the returned state shows which requests
 * fit, in order of arrival, and these are charged again. Each round resolves a request, denies a sum (at most three times), or
 * refunds the leases of this process.
 */
const chargeBatch = async (deps: BatchDependencies, batch: readonly Waiting[]): Promise<void> => {
  let left = batch
  let known: ChargeOutcome | undefined
  let deniedSums = 0
  while (left.length > 0) {
    const chosen = chosenOf(left, known, deps.clock.now())
    const request = sumOfRequests(chosen)
    if (request === undefined) return resolveAll(deps, left, deniedBy(known, deps.clock.now()))
    const startedNs = deps.clock.monotonic()
    const extra = deps.leases.extraFor(request, deps.store.cached(request.bucket))
    const charged = await writeCharge(deps, request, extra).catch((error: unknown) => {
      rejectAll(deps, request, chosen, error)
      return undefined
    })
    keepLease(deps, request, charged, startedNs)
    const refunded = charged && (await afterLeaseRefund(deps, left, charged))
    known = refunded ?? charged
    const isResolved = !refunded && resolveChosen(deps, chosen, charged, deniedSums)
    if (isResolved) left = left.filter((each) => !chosen.includes(each))
    else deniedSums++
  }
}

const rejectAll = (
  { leases }: BatchDependencies,
  owner: LeaseOwner,
  waiting: readonly Waiting[],
  error: unknown,
): void => {
  noteThrottled(leases, owner, error)
  for (const { reject } of waiting) reject(error)
}

const noteThrottled = (leases: Leases, owner: LeaseOwner, error: unknown): void => {
  if (error instanceof StoreUnavailable && error.isThrottled && leases.isOn)
    leases.noteThrottled(leases.of(owner))
}

/**
 * Resolves the requests that were charged together; returns false for a denied sum, whose requests are chosen again by the
 * returned state. Without an outcome, the requests have been rejected already.
 */
const resolveChosen = (
  deps: BatchDependencies,
  chosen: readonly Waiting[],
  outcome: ChargeOutcome | undefined,
  deniedSums: number,
): boolean => {
  if (outcome === undefined) return true
  const isFinal = outcome.result === 'charged' || outcome.result === 'outdated' || chosen.length === 1
  if (!isFinal && deniedSums < MAX_DENIED_SUMS) return false
  resolveAll(deps, chosen, isFinal ? outcome : { ...outcome, result: 'contended' })
  return true
}

const sumOfRequests = (waiting: readonly Waiting[]): ChargeRequest | undefined => {
  const requests = waiting.map(({ request }) => request)
  const [first] = requests
  return (
    first && {
      bucket: first.bucket,
      limits: first.limits,
      cost: sumOf(requests.map(({ cost }) => cost)),
      counts: requests.reduce<Counts>((sum, { counts }) => summed(sum, counts), {}),
      // their limits have the same version: if it is the latest for one request, it is for all
      isLatest: requests.some(({ isLatest }) => isLatest),
    }
  )
}

const keepLease = (
  { leases }: BatchDependencies,
  request: ChargeRequest,
  outcome: ChargeOutcome | undefined,
  startedNs: bigint,
): void => {
  if (outcome?.result === 'charged' && outcome.extra !== undefined) leases.keep(request, outcome, startedNs)
}

const resolveAll = (deps: BatchDependencies, waiting: readonly Waiting[], outcome: ChargeOutcome): void => {
  for (const { request, resolve } of waiting) {
    if (outcome.result === 'denied') rememberDenial(deps, request, outcome)
    resolve(outcome)
  }
}

const rememberDenial = (
  { leases, clock }: BatchDependencies,
  { bucket, limits, cost }: ChargeRequest,
  { item }: ChargeOutcome,
): void => {
  if (!leases.isOn) return
  const leased = leases.of({ bucket, limits })
  leased.denial = rememberedDenial(item, limits, cost, clock.now(), clock.monotonic())
}

const deniedBy = (known: ChargeOutcome | undefined, now: bigint): ChargeOutcome => ({
  result: 'denied',
  item: known?.item,
  limits: known?.limits ?? [],
  exceeded: [],
  chargedAt: now,
})

/** The slots that one write adds: an expression has at most 4 KB. */
const MOST_SLOTS = 24

/** The requests to charge together: each that fits in addition to those before it, by the known state or the limits' sizes. */
const chosenOf = (
  left: readonly Waiting[],
  known: ChargeOutcome | undefined,
  now: bigint,
): readonly Waiting[] => {
  const limits = known?.limits ?? left[0]?.request.limits ?? []
  const costs = left.map(({ request }) => request.cost)
  const fits = fitting(limits, known?.item, costs, now)
  const chosen = left.filter((_, index) => fits[index]).slice(0, areHeld(limits) ? MOST_SLOTS : left.length)
  // a cost that no state of these sizes fits is denied by the bucket, which may contain a later version
  return known === undefined && chosen.length === 0 ? left.slice(0, 1) : chosen
}

/**
 * Refunds the leases of this process, and writes its waiting refunds, if a request is denied because of them. Returns the denial with the state after the
 * refund; undefined if `outcome` is no denial, or if a refund would help none of `left`.
 */
const afterLeaseRefund = async (
  deps: BatchDependencies,
  left: readonly Waiting[],
  outcome: ChargeOutcome,
): Promise<ChargeOutcome | undefined> => {
  const { leases, store, clock } = deps
  const [first, ...others] = left.map(({ request }) => request.cost)
  const bucket = left[0]?.request.bucket
  if (bucket === undefined || first === undefined || outcome.result !== 'denied') return undefined
  const held = sumOf([leases.heldAt(bucket), deps.refunds?.refundableAt(bucket) ?? {}])
  if (METERS.every((meter) => (held[meter] ?? 0) === 0)) return undefined
  const { limits, item } = outcome
  const now = clock.now()
  const fits = fitting(limits, item, [first, ...others], now)
  const wouldFit = fitting(limits, item, [beyond(first, held), ...others], now)
  if (wouldFit.every((would, index) => !would || fits[index])) return undefined
  await refundTogether(deps, deps.refunds?.take(bucket) ?? [])
  await refundLeases(deps, leases.takeAll(bucket))
  return { ...outcome, item: store.cached(bucket) }
}

/**
 * Which of `costs` fit together, earlier ones first: in the state `item`, or in the full limits if nothing is stored or the
 * stored sizes are others.
 */
const fitting = (
  limits: readonly EffectiveLimit[],
  item: BucketItem | undefined,
  costs: readonly ChargedCost[],
  now: bigint,
): readonly boolean[] => {
  const { carryOvers, isLater } = changesIn(item, limits, now, true)
  const state = carryOvers.length > 0 || isLater ? undefined : item
  const passes = (cost: ChargedCost): boolean =>
    limitChargesOf(limits, cost).every(
      (charge) => fitsAtAll(charge) && (state === undefined || waitNsOf(state, charge, now) === 0n),
    )
  let taken: ChargedCost = {}
  return costs.map((cost) => {
    const together = sumOf([taken, cost])
    const fits = passes(together)
    if (fits) taken = together
    return fits
  })
}
