import type { BucketId } from '../bucket/bucket-store.ts'
import type { Action, BucketItem } from '../bucket/write.ts'
import { StoreUnavailable } from '../model/errors.ts'
import { countActions } from './counters.ts'
import { planJointRefund, type WaitingRefund } from './refund-queue.ts'
import { type SettlingDependencies, settle, settlementMoment } from './settle.ts'

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
