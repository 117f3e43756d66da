import type { BucketId } from '../bucket/bucket-store.ts'
import { type LimitReceipt, type Receipt, receiptFor } from '../bucket/receipt.ts'
import type { Correction } from '../bucket/settle-plan.ts'
import { StoreUnavailable } from '../model/errors.ts'
import { type Cost, IN_FLIGHT, isAmount, METERS, type Meter, onMeter, usedInstead } from '../model/meter.ts'
import { larger } from '../model/time.ts'
import { type Clock, instantOf, type Logger, type Metrics, momentOf } from '../ports/platform.ts'
import type { CachedBuckets } from './cached-buckets.ts'
import { countActions, summed, type Tally, useOf } from './counters.ts'
import { covers, emptied, isLive, type Lease, replacePaid, restOf, spend } from './lease.ts'
import { isOwn, type Overage, overageOf, type Settled, type SettledOwn } from './overage.ts'
import type { RefundQueue } from './refund-queue.ts'
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
  for (const { receipt, lease } of parts) {
    const isCovered = lease ? covers(lease, reserved, used, instant) : isAsCharged(receipt, used)
    if (!isCovered) return false
  }
  const use = useOf(used)
  for (const { bucket, lease } of parts) {
    if (lease) replacePaid(lease, reserved, used)
    deps.tally.add(bucket, use, { isUse: true, nowNs: moment.monotonic })
  }
  return true
}

const isAsCharged = (receipt: Receipt | undefined, used: Cost): boolean =>
  receipt === undefined || receipt.limits.every((limit) => differenceOf(limit, used) === 0)

/** The difference between usage and charge; an absent meter stays as charged. Slots are released whatever was used. */
const differenceOf = ({ meter, charged }: LimitReceipt, used: Cost): number =>
  meter === IN_FLIGHT ? -charged : (used[meter] ?? charged) - charged

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
 * Refunds all charges; with `refunds`, they may wait for others of their bucket. A part without a receipt may not have been
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
      return refunds?.defer(refund) ? [] : [settle(deps, receipt, { ...refund, counters: [] })]
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

/** Settles one bucket, unless it is a refund that waits for others of the bucket. Returns the bucket if it was written. */
const settleOrWait = async (
  deps: SettlingDependencies,
  receipt: Receipt,
  used: Cost,
  ending: Omit<Ending, 'counters'>,
): Promise<Settled | undefined> => {
  const { corrections, overage = [], startedNs } = ending
  const isDeferred = overage.length === 0 && deps.refunds?.defer({ receipt, corrections, startedNs })
  if (!isDeferred) return settleAndCount(deps, receipt, used, ending)
  countLater(deps, receipt.bucket, used)
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
export const settle = async (
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

export const settlementMoment = (
  clock: Clock,
  { chargedAt }: Receipt,
  startedNs: bigint | undefined,
): SettlementMoment => {
  const now = clock.now()
  const monotonicNs = startedNs === undefined ? 0n : clock.monotonic() - startedNs
  return { now, elapsedNs: larger(0n, larger(now - chargedAt, monotonicNs)) }
}
