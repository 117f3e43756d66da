import type { BucketId } from '../bucket/bucket-store.ts'
import { type LimitReceipt, type Receipt, receiptFor } from '../bucket/receipt.ts'
import type { Correction } from '../bucket/settle-plan.ts'
import type { Action, BucketItem } from '../bucket/write.ts'
import { StoreUnavailable } from '../model/errors.ts'
import { type Cost, IN_FLIGHT, isAmount, METERS, type Meter, onMeter, usedInstead } from '../model/meter.ts'
import { larger } from '../model/time.ts'
import {
  type Clock,
  type Instant,
  instantOf,
  type Logger,
  type Metrics,
  momentOf,
} from '../ports/platform.ts'
import type { CachedBuckets } from './cached-buckets.ts'
import { countActions, summed, type Tally, useOf } from './counters.ts'
import { emptied, isLive, type Lease, restOf, spend } from './lease.ts'
import { isOwn, type Overage, overageOf, type Settled, type SettledOwn } from './overage.ts'
import { planJointRefund, type RefundQueue, type WaitingRefund } from './refund-queue.ts'
import type { ReservedCharges, ReservedPart } from './reservation-store.ts'
import { type Settlement, type SettlementMoment, settleBucket } from './settle-bucket.ts'

export interface SettlingDependencies {
  readonly store: CachedBuckets
  readonly tally: Tally
  readonly clock: Clock
  readonly logger: Logger
  readonly metrics: Metrics
  /** Refunds that wait for others of their bucket; undefined: each is written at once. */
  readonly refunds?: RefundQueue | undefined
}

/** The caller who settles. On shared buckets, the amounts that they report are bounded. */
export interface SettledBy {
  readonly callerId: string
}

export interface SettleOptions {
  readonly startedNs?: bigint
  readonly by?: SettledBy | undefined
}

/**
 * Settles every bucket of a reservation as if `actual` had been charged at the start, or more strictly; null refunds all.
 * `startedNs` is the monotonic clock before the charge; undefined if another process charged: then the elapsed time is
 * measured by the wall clock alone. Without `by`, every bucket is settled in full. Refunds may wait for others of their bucket
 * (`SettlingDependencies.refunds`). Never throws.
 */
export const settleCharges = async (
  deps: SettlingDependencies,
  { reserved, parts }: ReservedCharges,
  actual: Cost | null,
  { startedNs, by }: SettleOptions = {},
): Promise<void> => {
  const { refunds } = deps
  if (actual === null) {
    await refundAll(deps, parts, startedNs, refunds)
    return
  }
  const used = usageOf(reserved, actual)
  if (by) await settleAsCaller(deps, { reserved, parts }, used, by)
  else await Promise.all(parts.map((part) => settlePart(deps, part, used, startedNs)))
}

/**
 * The same without a promise for a reservation whose settlement needs no write: leases take over every difference between the
 * usage and the charge. Returns false, with nothing changed, if some bucket must be written.
 */
export const settleWithinLeases = (
  deps: SettlingDependencies,
  { reserved, parts }: ReservedCharges,
  actual: Cost,
): boolean => {
  const moment = momentOf(deps.clock)
  const instant = instantOf(moment)
  const used = usageOf(reserved, actual)
  for (const part of parts) if (isWriteDue(part, used, instant)) return false
  const use = useOf(used)
  for (const { bucket, receipt, lease } of parts) {
    if (lease !== undefined && receipt !== undefined) spend(lease, differencesTo(receipt, used))
    deps.tally.add(bucket, use, { isUse: true, nowNs: moment.monotonic })
  }
  return true
}

const isWriteDue = ({ receipt, lease }: ReservedPart, used: Cost, at: Instant): boolean => {
  if (receipt === undefined) return false
  const held = lease !== undefined && isLive(lease, at) ? restOf(lease) : NOTHING
  for (const limit of receipt.limits) {
    const difference = differenceOf(limit, used)
    if (difference !== 0 && difference > (onMeter(held, limit.meter) ?? Number.NEGATIVE_INFINITY)) return true
  }
  return false
}

const NOTHING: Cost = {}

/** The difference between usage and charge; an absent meter stays as charged. Slots are released whatever was used. */
const differenceOf = ({ meter, charged }: LimitReceipt, used: Cost): number =>
  meter === IN_FLIGHT ? -charged : (used[meter] ?? charged) - charged

/** The same per meter. */
const differencesTo = ({ limits }: Receipt, used: Cost): Cost => {
  const differences: Partial<Record<Meter, number>> = {}
  for (const limit of limits)
    if (limit.meter !== IN_FLIGHT) differences[limit.meter] = differenceOf(limit, used)
  return differences
}

/**
 * Settles the caller's own buckets first, in full; then the shared ones, bounded by what the caller's own had available (see
 * `charge/overage.ts`). If no amount exceeds the reservation, settles all at once.
 */
const settleAsCaller = async (
  deps: SettlingDependencies,
  { reserved, parts }: ReservedCharges,
  used: Cost,
  { callerId }: SettledBy,
): Promise<void> => {
  const [own, shared] = [
    parts.filter(({ bucket }) => isOwn(bucket, callerId)),
    parts.filter(({ bucket }) => !isOwn(bucket, callerId)),
  ]
  const settling = Promise.all(own.map((part) => settleOwn(deps, part, used)))
  const isBeyond = METERS.some((meter) => (used[meter] ?? 0) > (reserved[meter] ?? Number.POSITIVE_INFINITY))
  const overage = isBeyond ? overageOf(reserved, used, await settling) : []
  const within = withinReserved(reserved, used)
  await Promise.all([settling, ...shared.map((part) => settleShared(deps, part, within, overage))])
}

/** The used part of the reservation. */
const withinReserved = (reserved: Cost, used: Cost): Cost => {
  const within: Partial<Record<Meter, number>> = {}
  for (const meter of METERS) {
    const named = reserved[meter]
    if (named !== undefined) within[meter] = Math.min(named, used[meter] ?? named)
  }
  return within
}

/**
 * Refunds all charges; with `refunds`, by the next joint write of each bucket. A part without a receipt may not have been
 * charged, and is never refunded.
 */
export const refundAll = (
  deps: SettlingDependencies,
  parts: readonly Pick<ReservedPart, 'receipt' | 'lease'>[],
  startedNs: bigint | undefined,
  refunds?: RefundQueue,
): Promise<unknown> =>
  Promise.all(
    parts.flatMap(({ receipt, lease }) => {
      if (!receipt) return []
      const all = receipt.limits.map((limit): Correction => ({ receipt: limit, difference: -limit.charged }))
      const corrections = beyondLease(deps, lease, all)
      if (isExact(corrections)) return []
      const refund = { receipt, corrections, startedNs: lease?.startedNs ?? startedNs }
      return [
        refunds && mayWait(corrections) && !refunds.isFirst(receipt.bucket)
          ? refunds.add(refund)
          : settle(deps, receipt, { ...refund, counters: [] }),
      ]
    }),
  )

/** Refunds the remaining tokens of leases. Never throws. */
export const refundLeases = (deps: SettlingDependencies, leases: readonly Lease[]): Promise<unknown> =>
  Promise.all(
    leases.map((lease) => {
      const receipt = receiptFor(lease.receipt, emptied(lease))
      return refundAll(deps, [{ receipt }], lease.startedNs)
    }),
  )

/** The corrections that remain after a live lease has taken over refunds and covered additional use. */
const beyondLease = (
  { clock }: SettlingDependencies,
  lease: Lease | undefined,
  corrections: readonly Correction[],
): readonly Correction[] => {
  if (!lease || !isLive(lease, instantOf(momentOf(clock)))) return corrections
  const left = restOf(lease)
  const taken: Partial<Record<Meter, number>> = {}
  for (const { receipt, difference } of corrections) {
    const { meter } = receipt
    if (meter === IN_FLIGHT) continue
    const held = left[meter]
    if (held !== undefined) taken[meter] = Math.min(difference, held)
  }
  spend(lease, taken)
  return corrections.map(({ receipt, difference }) => ({
    receipt,
    difference: difference - (onMeter(taken, receipt.meter) ?? 0),
  }))
}

const settlePart = async (
  deps: SettlingDependencies,
  { bucket, receipt, lease }: ReservedPart,
  used: Cost,
  startedNs: bigint | undefined,
): Promise<void> => {
  const corrections = beyondLease(deps, lease, correctionsTo(receipt, used))
  if (receipt === undefined || isExact(corrections)) return countLater(deps, bucket, used)
  await settleOrWait(deps, receipt, used, { corrections, startedNs: lease?.startedNs ?? startedNs })
}

/** Settles one bucket; where refunds share writes, one that is not the first waits for others of the bucket. Returns the bucket if it was written. */
const settleOrWait = async (
  deps: SettlingDependencies,
  receipt: Receipt,
  used: Cost,
  ending: Omit<Ending, 'counters'>,
): Promise<Settled | undefined> => {
  const { corrections, overage = [], startedNs } = ending
  const queue = overage.length === 0 && mayWait(corrections) ? deps.refunds : undefined
  if (queue === undefined || queue.isFirst(receipt.bucket)) return settleAndCount(deps, receipt, used, ending)
  queue.add({ receipt, corrections, startedNs })
  countLater(deps, receipt.bucket, used)
  return undefined
}

/** Additional use does not wait, nor does the release of a slot. */
const mayWait = (corrections: readonly Correction[]): boolean =>
  corrections.every(
    ({ receipt, difference }) => difference <= 0 && !(receipt.meter === IN_FLIGHT && difference < 0),
  )

/** How often a joint write is tried: each attempt fails if another process has written the bucket since the last known state. */
const JOINT_ATTEMPTS = 3

/** The bucket as it is stored, after the waiting refunds of this process. Throws `StoreUnavailable`. */
export const readSettled = async (
  deps: SettlingDependencies,
  bucket: BucketId,
): Promise<BucketItem | undefined> => (await settledSince(deps, bucket)) ?? deps.store.read(bucket)

/** The bucket after the waiting refunds of this process, if there are any. Throws `StoreUnavailable`. */
export const settledSince = async (
  deps: SettlingDependencies,
  bucket: BucketId,
): Promise<BucketItem | undefined> => {
  const waiting = deps.refunds?.take(bucket) ?? []
  if (waiting.length === 0) return undefined
  await refundTogether(deps, waiting)
  return deps.store.read(bucket)
}

/** Writes the waiting refunds of all buckets. Never throws. */
export const writeRefunds = (deps: SettlingDependencies): Promise<unknown> =>
  Promise.all((deps.refunds?.takeAll() ?? []).map((refunds) => refundTogether(deps, refunds)))

/**
 * The joint refund loop: refunds several charges of one bucket in one write, with its pending counts; each alone if that fails.
 * Never throws.
 */
export const refundTogether = async (
  deps: SettlingDependencies,
  refunds: readonly WaitingRefund[],
): Promise<void> => {
  const [first, ...more] = refunds
  if (first === undefined) return
  const rest = more.length === 0 ? refunds : await refundJointly(deps, first.receipt.bucket, refunds)
  await Promise.all(rest.map((refund) => refundOne(deps, refund)))
}

const refundOne = (deps: SettlingDependencies, { receipt, corrections, startedNs }: WaitingRefund) => {
  const pending = deps.tally.take(receipt.bucket)
  const counters = countActions(pending?.counts ?? {})
  return settle(deps, receipt, { corrections, startedNs, counters }, () => {
    if (pending) deps.tally.restore(pending)
  })
}

/** Returns the refunds that must be written alone. */
const refundJointly = async (
  deps: SettlingDependencies,
  bucket: BucketId,
  refunds: readonly WaitingRefund[],
): Promise<readonly WaitingRefund[]> => {
  const pending = deps.tally.take(bucket)
  try {
    const rest = await writeJointly(deps, bucket, refunds, countActions(pending?.counts ?? {}))
    if (rest === undefined && pending) deps.tally.restore(pending)
    return rest ?? refunds
  } catch (error) {
    deps.metrics.count('refunds_lost', refunds.length)
    deps.logger.warn('settlement not written', { bucket, reason: String(error) })
    if (pending && error instanceof StoreUnavailable && !error.mayHaveApplied) deps.tally.restore(pending)
    return []
  }
}

/** Undefined if nothing was written: other processes wrote first at each attempt, or the bucket is gone. */
const writeJointly = async (
  { store, clock }: SettlingDependencies,
  bucket: BucketId,
  refunds: readonly WaitingRefund[],
  counters: readonly Action[],
): Promise<readonly WaitingRefund[] | undefined> => {
  const elapsedNs = ({ receipt, startedNs }: WaitingRefund): bigint =>
    settlementMoment(clock, receipt, startedNs).elapsedNs
  // another process may have charged the bucket
  let snapshot = store.cached(bucket) ?? (await store.read(bucket))
  for (let tries = 0; tries < JOINT_ATTEMPTS && snapshot !== undefined; tries++) {
    const moment = { now: clock.now(), elapsedNs }
    const { write, others } = planJointRefund(snapshot, refunds, moment, counters)
    const outcome = write && (await store.write(bucket, write))
    if (outcome === undefined || outcome.applied) return others
    snapshot = outcome.item
  }
  return undefined
}

const settleOwn = async (
  deps: SettlingDependencies,
  { bucket, receipt }: ReservedPart,
  used: Cost,
): Promise<SettledOwn> => {
  const limits = receipt?.limits
  const corrections = correctionsTo(receipt, used)
  if (receipt === undefined || isExact(corrections)) {
    countLater(deps, bucket, used)
    return { limits, corrections, settled: undefined }
  }
  return { limits, corrections, settled: await settleOrWait(deps, receipt, used, { corrections }) }
}

/** `within`: the used part of the reservation. */
const settleShared = async (
  deps: SettlingDependencies,
  { bucket, receipt }: ReservedPart,
  within: Cost,
  overage: readonly Overage[],
): Promise<void> => {
  const corrections = correctionsTo(receipt, within)
  if (receipt === undefined || (overage.length === 0 && isExact(corrections)))
    return countLater(deps, bucket, within)
  await settleOrWait(deps, receipt, within, { corrections, overage })
}

/** The same per limit. */
const correctionsTo = (receipt: Receipt | undefined, used: Cost): readonly Correction[] =>
  (receipt?.limits ?? []).map((limit) => ({ receipt: limit, difference: differenceOf(limit, used) }))

const isExact = (corrections: readonly Correction[]): boolean =>
  corrections.every(({ difference }) => difference === 0)

/** Counts the usage with the next write to the bucket. */
const countLater = ({ tally, clock }: SettlingDependencies, bucket: BucketId, used: Cost): void =>
  tally.add(bucket, useOf(used), { isUse: true, nowNs: clock.monotonic() })

/** Settles one bucket; the same write includes the usage and all pending counts. */
const settleAndCount = (
  deps: SettlingDependencies,
  receipt: Receipt,
  used: Cost,
  ending: Omit<Ending, 'counters'>,
): Promise<Settled | undefined> => {
  const { bucket } = receipt
  const counts = summed(deps.tally.take(bucket)?.counts ?? {}, useOf(used))
  return settle(deps, receipt, { ...ending, counters: countActions(counts) }, () => {
    deps.tally.add(bucket, counts, { isUse: true, nowNs: deps.clock.monotonic() })
  })
}

/** The usage that is settled: `actual` itself if it has a valid amount of each reserved meter. */
export const usageOf = (reserved: Cost, actual: Cost): Cost => {
  if (actual.tokens === undefined) return usedInstead(reserved, amountsIn(actual))
  for (const meter of METERS) {
    const amount = actual[meter]
    const isMissing = amount === undefined && reserved[meter] !== undefined
    if (isMissing || (amount !== undefined && !isAmount(amount)))
      return usedInstead(reserved, amountsIn(actual))
  }
  return actual
}

/** Ignores invalid amounts (negative or not whole): their meters stay as reserved. */
const amountsIn = (actual: Cost): Cost => {
  const amounts: Partial<Record<Meter, number>> = {}
  for (const meter of METERS) {
    const amount = actual[meter]
    if (amount !== undefined && isAmount(amount)) amounts[meter] = amount
  }
  return amounts
}

type Ending = Pick<Settlement, 'corrections' | 'counters' | 'overage'> & {
  readonly startedNs?: bigint | undefined
}

/**
 * Returns the bucket right after the write; undefined if the write was not, or may not have been, applied. Never throws: a
 * failed settlement leaves the charge, which errs towards denying. `onUnwritten` is called if the write was certainly not
 * applied.
 */
const settle = async (
  deps: SettlingDependencies,
  receipt: Receipt,
  ending: Ending,
  onUnwritten?: () => void,
): Promise<Settled | undefined> => {
  const { startedNs, ...what } = ending
  const moment = () => settlementMoment(deps.clock, receipt, startedNs)
  try {
    const { result, written } = await settleBucket(deps.store, { receipt, ...what, moment })
    if (result === 'overtaken') deps.metrics.count('refunds_lost')
    return written
  } catch (error) {
    deps.metrics.count('refunds_lost')
    deps.logger.warn('settlement not written', { bucket: receipt.bucket, reason: String(error) })
    if (error instanceof StoreUnavailable && !error.mayHaveApplied) onUnwritten?.()
    return undefined
  }
}

const settlementMoment = (
  clock: Clock,
  { chargedAt }: Receipt,
  startedNs: bigint | undefined,
): SettlementMoment => {
  const now = clock.now()
  const monotonicNs = startedNs === undefined ? 0n : clock.monotonic() - startedNs
  return { now, elapsedNs: larger(0n, larger(now - chargedAt, monotonicNs)) }
}
