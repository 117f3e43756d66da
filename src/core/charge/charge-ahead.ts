import type { BucketId } from '../bucket/bucket-store.ts'
import { changesIn } from '../bucket/carry-over.ts'
import { fitsAtAll, limitChargesOf, waitNsOf } from '../bucket/charge-plan.ts'
import type { EffectiveLimit } from '../bucket/effective-limit.ts'
import { receiptOf } from '../bucket/receipt.ts'
import type { BucketItem } from '../bucket/write.ts'
import { StoreUnavailable } from '../model/errors.ts'
import { beyond, type Cost, METERS, sumOf } from '../model/meter.ts'
import type { Clock, Metrics } from '../ports/platform.ts'
import type { BucketWriter } from './bucket-writer.ts'
import { type ChargeOrder, type ChargeOutcome, chargeBucket } from './charge-bucket.ts'
import { type Counts, countActions, type Pending, summed, type Tally } from './counters.ts'
import { denies } from './denial.ts'
import { type Lease, nothingOf } from './lease.ts'
import type { Leases } from './leases.ts'

/** A charge on one bucket, as one request asks for it. */
export interface SharedOrder extends Omit<ChargeOrder, 'now' | 'counters'> {
  /** Counters to write along with the charge. */
  readonly counts: Counts
  /** True: it was asked before, and is no demand beside that. */
  readonly isRepeated?: boolean
}

export interface SharedOutcome extends ChargeOutcome {
  /** The moment of the charge, ns since the epoch. */
  readonly chargedAt: bigint
  /** The lease that it was spent from, where no write was needed. */
  readonly lease?: Lease
  /** What this process still holds in leases, per meter. */
  readonly held: Cost
}

export interface ChargerDependencies {
  readonly writer: BucketWriter
  readonly tally: Tally
  readonly clock: Clock
  readonly leases: Leases
  readonly metrics: Metrics
  /** Gives back what is left of leases. Never throws. */
  refund(leases: readonly Lease[]): Promise<unknown>
}

/** What leases and remembered denials answer. */
export const withoutTable = (deps: ChargerDependencies, order: SharedOrder): SharedOutcome | undefined => {
  const { writer, clock, leases } = deps
  const { bucket, limits, cost, isRepeated } = order
  if (!leases.isOn) return undefined
  const slot = leases.slotOf(bucket, limits)
  if (!isRepeated) leases.note(slot, cost)
  const paid = paidByLease(deps, order)
  if (paid) return paid
  const { denial } = slot
  const item = writer.cached(bucket)
  const now = clock.now()
  if (denial === undefined || !denies(denial, item, cost, now, clock.monotonic())) return undefined
  return { result: 'denied', item, limits, exceeded: [], held: leases.heldOf(slot), chargedAt: now }
}

/** Spends the cost from a lease that holds all of it. */
export const paidByLease = (
  { writer, tally, clock, leases }: ChargerDependencies,
  { bucket, limits, cost, counts }: SharedOrder,
): SharedOutcome | undefined => {
  if (!leases.isOn) return undefined
  const slot = leases.slotOf(bucket, limits)
  const lease = leases.spend(slot, cost)
  if (!lease) return undefined
  tally.add(bucket, counts, { isUse: true, nowNs: clock.monotonic() })
  const { chargedAt } = lease.receipt
  const item = writer.cached(bucket)
  return { result: 'charged', item, limits, exceeded: [], held: leases.heldOf(slot), chargedAt, lease }
}

/** Charges what is likely to be asked for soon in the same write. Where that is too much, what is asked for now. */
export const chargeAhead = async (deps: ChargerDependencies, order: SharedOrder): Promise<SharedOutcome> => {
  const { leases, writer } = deps
  const { bucket, limits, cost } = order
  const slot = leases.isOn ? leases.slotOf(bucket, limits) : undefined
  const extra = slot && leases.wanted(slot, limits, cost, writer.cached(bucket))
  if (extra === undefined) return chargeAlone(deps, order)
  const outcome = await chargeWith(deps, order, extra)
  return outcome.result === 'charged' ? outcome : chargeAlone(deps, order)
}

/**
 * Charges the lease that follows `lease` while that one still pays, where enough is asked for to be worth it. Never throws:
 * the store's client logs a failed write, the next request that needs the table meets the same failure, and what a lost
 * write has charged refills with time.
 */
export const renewLease = async (
  deps: ChargerDependencies,
  { bucket, limits }: LeasedBucket,
  lease: Lease,
): Promise<void> => {
  const { leases, writer } = deps
  const order = { bucket, limits, cost: nothingOf(lease), counts: {}, reread: async () => limits }
  try {
    const slot = leases.slotOf(bucket, limits)
    const extra = leases.wantedOfMany(slot, limits, order.cost, writer.cached(bucket))
    if (extra !== undefined) await chargeWith(deps, order, extra)
  } catch {}
}

/** A bucket, and the limits by which it is charged. */
export interface LeasedBucket {
  readonly bucket: BucketId
  readonly limits: readonly EffectiveLimit[]
}

/** Charges `extra` in the same write, and keeps it as a lease. */
const chargeWith = async (
  deps: ChargerDependencies,
  order: SharedOrder,
  extra: Cost,
): Promise<SharedOutcome> => {
  const { leases, clock } = deps
  const { bucket, limits, cost } = order
  const startedNs = clock.monotonic()
  const outcome = await chargeAlone(deps, { ...order, cost: sumOf([cost, extra]) })
  if (outcome.result !== 'charged') return outcome
  const { item = {}, chargedAt } = outcome
  const receipt = receiptOf({ bucket, limits: outcome.limits, item }, extra, chargedAt)
  // another slot may have taken its place while the write was under way
  const current = leases.slotOf(bucket, limits)
  leases.keep(current, { limits: outcome.limits, extra, item, receipt, startedNs })
  return { ...outcome, held: leases.heldOf(current) }
}

/** Charges what the order says and no more, with the counts that wait. */
export const chargeAlone = async (
  deps: ChargerDependencies,
  { counts, ...order }: SharedOrder,
): Promise<SharedOutcome> => {
  const { writer, tally, clock, leases } = deps
  const { bucket, limits } = order
  const now = clock.now()
  const pending = tally.take(bucket)
  const counters = countActions(summed(pending?.counts ?? {}, counts))
  try {
    const outcome = await chargeBucket(writer, { ...order, now, counters })
    if (pending && outcome.result !== 'charged') tally.putBack(pending)
    const held = leases.isOn ? leases.heldOf(leases.slotOf(bucket, limits)) : {}
    return { ...outcome, chargedAt: now, held }
  } catch (error) {
    if (error instanceof StoreUnavailable) noteFailure(deps, order, pending, error)
    throw error
  }
}

const noteFailure = (
  { leases, metrics, tally }: ChargerDependencies,
  { bucket, limits }: LeasedBucket,
  pending: Pending | undefined,
  { mayHaveApplied, isThrottled }: StoreUnavailable,
): void => {
  if (pending && !mayHaveApplied) tally.putBack(pending)
  if (!isThrottled) return
  metrics.count('charges_throttled')
  if (leases.isOn) leases.noteThrottled(leases.slotOf(bucket, limits))
}

/**
 * Where the leases of this process are what denies a request that is too large for them, gives them back: the denial, with
 * the state after that. undefined: it is no denial, or that would help none of `orders`, which are of one bucket and alike.
 */
export const withLeasesBack = async (
  { leases, writer, clock, refund }: ChargerDependencies,
  orders: readonly SharedOrder[],
  outcome: SharedOutcome,
): Promise<SharedOutcome | undefined> => {
  const [first, ...others] = orders.map(({ cost }) => cost)
  const bucket = orders[0]?.bucket
  if (bucket === undefined || first === undefined || outcome.result !== 'denied') return undefined
  const held = leases.heldAt(bucket)
  if (METERS.every((meter) => (held[meter] ?? 0) === 0)) return undefined
  const { limits, item } = outcome
  const now = clock.now()
  const isIn = fitting(limits, item, [first, ...others], now)
  const isInThen = fitting(limits, item, [beyond(first, held), ...others], now)
  if (isInThen.every((fits, index) => !fits || isIn[index])) return undefined
  await refund(leases.takeBack(bucket))
  return { ...outcome, item: writer.cached(bucket), held: {} }
}

/**
 * Which of `costs` fit together, those that come first first: by the state of the bucket, or by the sizes of the limits
 * where none is known (nothing that is stored, or a state kept by other sizes).
 */
export const fitting = (
  limits: readonly EffectiveLimit[],
  item: BucketItem | undefined,
  costs: readonly Cost[],
  now: bigint,
): readonly boolean[] => {
  const { carryOvers, isLater } = changesIn(item, limits, now, true)
  const state = carryOvers.length > 0 || isLater ? undefined : item
  const passes = (cost: Cost): boolean =>
    limitChargesOf(limits, cost).every(
      (demand) => fitsAtAll(demand) && (state === undefined || waitNsOf(state, demand, now) === 0n),
    )
  let taken: Cost = {}
  return costs.map((cost) => {
    const together = sumOf([taken, cost])
    const isIn = passes(together)
    if (isIn) taken = together
    return isIn
  })
}
