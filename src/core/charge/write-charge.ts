import type { BucketId } from '../bucket/bucket-store.ts'
import { asStored, changesIn, planCarryOver, preferStored } from '../bucket/carry-over.ts'
import { fitsAtAll, type LimitCharge, limitChargesOf, planCharge, waitNsOf } from '../bucket/charge-plan.ts'
import type { EffectiveLimit } from '../bucket/effective-limit.ts'
import { isTransitionDue } from '../bucket/scheduled-limit.ts'
import type { Action, BucketItem, ConditionalWrite } from '../bucket/write.ts'
import { StoreUnavailable } from '../model/errors.ts'
import { isEnforced } from '../model/limit.ts'
import { type ChargedCost, type Cost, sumOf } from '../model/meter.ts'
import type { Clock, Metrics } from '../ports/platform.ts'
import type { CachedBuckets } from './cached-buckets.ts'
import { type Counts, countActions, type Pending, summed, type Tally } from './counters.ts'
import type { Lease } from './lease.ts'

/** A charge on one bucket, from the decision to the write. A batch is a request for the sum of several. */
export interface ChargeRequest {
  readonly bucket: BucketId
  readonly limits: readonly EffectiveLimit[]
  readonly cost: ChargedCost
  /** Counters to write along with the charge. */
  readonly counts: Counts
  /** True: `limits` have just been read again, and apply even if the bucket contains a later version. */
  readonly isLatest: boolean
}

export interface ChargeOutcome {
  /**
   * charged: `item` is the state right after the charge. denied: `item` is the state that denied, undefined if the cost fits
   * no state. contended: others wrote first at every attempt. outdated: the bucket was charged by a later version of `limits`,
   * or a schedule has given one of them another size.
   * Nothing is charged unless the result is `charged`.
   */
  readonly result: 'charged' | 'denied' | 'contended' | 'outdated'
  readonly item: BucketItem | undefined
  /** The limits that applied. */
  readonly limits: readonly EffectiveLimit[]
  /** The names of exceeded limits that only warn: they were not charged. */
  readonly exceeded: readonly string[]
  /** The time of the charge, or at which the denial holds, ns since the epoch. */
  readonly chargedAt: bigint
  /** The amount charged in addition to the cost, to be kept as a lease. */
  readonly extra?: Cost | undefined
  /** The lease that paid; then nothing was written. */
  readonly lease?: Lease
}

export interface WriteChargeDependencies {
  readonly store: CachedBuckets
  readonly tally: Tally
  readonly clock: Clock
  readonly metrics: Metrics
}

/** Writes in addition to one per limit: each limit may have changed from idle to busy since its state was cached. */
const SPARE_WRITES = 2

/**
 * The write loop: charges one bucket, nearly always in one write, which includes the pending counts of the bucket. The cached
 * state selects the variant of the write; a write that fails returns the stored state, which shows the denial or the right
 * variant. `extra` is charged as well if it fits. At most two writes more than the bucket has limits, and one more if `extra`
 * does not fit. Throws `StoreUnavailable`.
 */
export const writeCharge = async (
  deps: WriteChargeDependencies,
  request: ChargeRequest,
  extra?: Cost,
): Promise<ChargeOutcome> => {
  const { bucket } = request
  const charge = beginCharge(deps, request)
  let attempt = firstAttempt(request, deps.store.cached(bucket), extra)
  for (;;) {
    const { step, ...by } = nextStep(charge, attempt)
    if (step.to === 'end') return uncharged(deps, charge, by.attempt, step)
    const { applied, item } = await deps.store.write(bucket, step.write).catch(failed(deps, charge))
    if (applied && step.to === 'charge') return charged(charge, by.attempt, step, item)
    attempt = { ...by.attempt, snapshot: item, isCurrent: true, writesLeft: by.attempt.writesLeft - 1 }
  }
}

interface Charge {
  readonly request: ChargeRequest
  /** ns since the epoch; the same for all attempts. */
  readonly now: bigint
  /** The pending counts of the bucket. */
  readonly pending: Pending | undefined
  readonly counters: readonly Action[]
}

const beginCharge = ({ tally, clock }: WriteChargeDependencies, request: ChargeRequest): Charge => {
  const now = clock.now()
  const pending = tally.take(request.bucket)
  return { request, now, pending, counters: countActions(summed(pending?.counts ?? {}, request.counts)) }
}

const charged = (
  { now }: Charge,
  { extra }: Attempt,
  { limits, exceeded }: ChargeStep,
  item: BucketItem | undefined,
): ChargeOutcome => ({ result: 'charged', item, limits, exceeded, chargedAt: now, extra })

const uncharged = (
  { tally }: WriteChargeDependencies,
  { now, pending }: Charge,
  { snapshot }: Attempt,
  { result, limits }: EndStep,
): ChargeOutcome => {
  if (pending) tally.restore(pending)
  return { result, item: snapshot, limits, exceeded: [], chargedAt: now }
}

const failed =
  ({ tally, metrics }: WriteChargeDependencies, { pending }: Charge) =>
  (error: unknown): never => {
    if (!(error instanceof StoreUnavailable)) throw error
    // counts that the table may contain already are dropped: counting twice is worse than not counting
    if (pending && !error.mayHaveApplied) tally.restore(pending)
    if (error.isThrottled) metrics.count('charges_throttled')
    throw error
  }

interface Attempt {
  readonly snapshot: BucketItem | undefined
  /** Whether a write of this charge returned `snapshot`: only then can it deny. */
  readonly isCurrent: boolean
  readonly extra: Cost | undefined
  readonly writesLeft: number
}

const firstAttempt = (
  { limits }: ChargeRequest,
  snapshot: BucketItem | undefined,
  extra: Cost | undefined,
): Attempt => ({ snapshot, isCurrent: false, extra, writesLeft: limits.length + SPARE_WRITES })

interface ChargeStep {
  readonly to: 'charge'
  readonly limits: readonly EffectiveLimit[]
  readonly write: ConditionalWrite
  readonly exceeded: readonly string[]
}

interface CarryOverStep {
  readonly to: 'carry over'
  readonly write: ConditionalWrite
}

interface EndStep {
  readonly to: 'end'
  readonly result: Exclude<ChargeOutcome['result'], 'charged'>
  readonly limits: readonly EffectiveLimit[]
}

type Step = ChargeStep | CarryOverStep | EndStep

/** If the cost and `extra` together are denied or contended, the step of the cost alone, which may take one more write. */
const nextStep = (charge: Charge, attempt: Attempt): { readonly step: Step; readonly attempt: Attempt } => {
  const step = stepBy(charge, attempt)
  const isExtraTried = step.to === 'end' && step.result !== 'outdated' && attempt.extra !== undefined
  if (!isExtraTried) return { step, attempt }
  const alone = { ...attempt, extra: undefined, writesLeft: attempt.writesLeft + 1 }
  return { step: stepBy(charge, alone), attempt: alone }
}

const stepBy = (charge: Charge, attempt: Attempt): Step => {
  const { request, now } = charge
  const { snapshot, writesLeft } = attempt
  const { isLater, carryOvers } = changesIn(snapshot, request.limits, now, request.isLatest)
  if (isOutdated(charge, isLater)) return { to: 'end', result: 'outdated', limits: request.limits }
  const limits = isLater ? preferStored(snapshot, request.limits, now) : request.limits
  const charges = limitChargesOf(limits, costOf(charge, attempt))
  if (!charges.filter(isBinding).every(fitsAtAll)) return { to: 'end', result: 'denied', limits }
  if (snapshot && carryOvers.length > 0) {
    return writesLeft > 1
      ? { to: 'carry over', write: planCarryOver(snapshot, carryOvers, now) }
      : chargeAsStored(charge, attempt, snapshot)
  }
  if (isTooMuch(attempt, charges, now)) return { to: 'end', result: 'denied', limits }
  if (writesLeft === 0) return { to: 'end', result: 'contended', limits }
  return chargeStep(charge, snapshot, limits, charges)
}

/** The limits are read again once. By the time of the charge, a schedule may have given them other sizes. */
const isOutdated = ({ request, now }: Charge, isLater: boolean): boolean =>
  !request.isLatest && (isLater || isTransitionDue(request.limits, now))

const costOf = ({ request: { cost } }: Charge, { extra }: Attempt): ChargedCost =>
  extra === undefined ? cost : sumOf([cost, extra])

/** Limits that only warn are charged if the cost fits their last known state. */
const chargeStep = (
  { now, counters }: Charge,
  snapshot: BucketItem | undefined,
  limits: readonly EffectiveLimit[],
  charges: readonly LimitCharge[],
): ChargeStep => {
  const planned = charges.map((charge) =>
    isBinding(charge) ? charge : { ...charge, isExceeded: isExceeded(snapshot, charge, now) },
  )
  const exceeded = planned.flatMap(({ isExceeded, effective }) => (isExceeded ? [effective.limit.name] : []))
  return { to: 'charge', limits, write: planCharge(snapshot, planned, now, counters), exceeded }
}

/**
 * A compare-and-set fails whenever another write comes first, so busy nodes with an older configuration could prevent a
 * carry-over for ever. With one write left, a cost that fits the stored limits is charged by them; they never deny.
 */
const chargeAsStored = (charge: Charge, attempt: Attempt, snapshot: BucketItem): ChargeStep | EndStep => {
  const { request, now } = charge
  const limits = asStored(snapshot, request.limits)
  const charges = limitChargesOf(limits, costOf(charge, attempt))
  const fits = !charges.some((each) => isBinding(each) && isExceeded(snapshot, each, now))
  return fits && attempt.writesLeft > 0
    ? chargeStep(charge, snapshot, limits, charges)
    : { to: 'end', result: 'contended', limits: request.limits }
}

const isTooMuch = ({ snapshot, isCurrent }: Attempt, charges: readonly LimitCharge[], now: bigint): boolean =>
  snapshot !== undefined &&
  isCurrent &&
  charges.some((charge) => isBinding(charge) && isExceeded(snapshot, charge, now))

const isBinding = ({ effective }: LimitCharge): boolean => isEnforced(effective.limit)

const isExceeded = (snapshot: BucketItem | undefined, charge: LimitCharge, now: bigint): boolean =>
  !fitsAtAll(charge) || (snapshot !== undefined && waitNsOf(snapshot, charge, now) > 0n)
