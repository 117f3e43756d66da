import { countersWrite, numberIn } from '../bucket/bucket-item.ts'
import type { Receipt } from '../bucket/receipt.ts'
import { type Correction, planSettlement } from '../bucket/settle-plan.ts'
import { type Action, add, type BucketItem } from '../bucket/write.ts'
import { type Cost, onMeter } from '../model/meter.ts'
import type { CachedBuckets } from './cached-buckets.ts'
import { isShort, type Overage, partOfOverage, type Settled } from './overage.ts'

export interface Settlement {
  readonly receipt: Receipt
  readonly corrections: readonly Correction[]
  /** Called before each attempt: tokens that have refilled in the meantime are not refunded as well. */
  moment(): SettlementMoment
  /** Increments of `used_*` and `denied_*`, written even if the limits are not. */
  readonly counters: readonly Action[]
  /**
   * If a caller settles a shared bucket: the use beyond the reservation per meter, instead of corrections above 0. As much of it
   * as is available is charged, and added to `used_*`; the rest is dropped.
   */
  readonly overage?: readonly Overage[]
}

export interface SettlementMoment {
  /** ns since the epoch */
  readonly now: bigint
  /** ns since the charge, by the wall clock or the monotonic clock, whichever is more. */
  readonly elapsedNs: bigint
}

/** From this attempt on refunds are unconditional, so they cannot fail. */
const UNCONDITIONAL_ATTEMPT = 4

/** For charges of additional use: on a busy bucket, other writes come first. */
const MOST_ATTEMPTS = 20

export interface SettlementOutcome {
  /** overtaken: other writes came first, and a part of the refund or of the additional use was not written. */
  readonly result: 'settled' | 'overtaken'
  /** Undefined if the limits were not written: nothing to correct, the generation has ended, or other writes came first. */
  readonly written?: Settled
}

/**
 * Brings one bucket to the state that it would have if the actual cost had been charged at the start, or to a stricter one.
 * Nearly always one write; none if there is nothing to change and nothing to count. If the generation that was charged has
 * ended, only the counters are written. Throws `StoreUnavailable`; a write whose response is lost is not repeated.
 */
export const settleBucket = async (
  store: CachedBuckets,
  settlement: Settlement,
): Promise<SettlementOutcome> => {
  const { receipt, counters } = settlement
  const attempted = await attempt(store, settlement)
  if (attempted.outcome !== undefined) return attempted.outcome
  const isAlive = isSameGeneration(attempted.state, receipt)
  if (counters.length > 0 && isCounted(attempted.state, receipt)) {
    await store.write(receipt.bucket, countersWrite(counters, settlement.moment().now))
  }
  return { result: isAlive ? 'overtaken' : 'settled' }
}

/** A removed bucket of a policy is not created again for its counters: usage reports do not read them. */
const isCounted = ({ isGone }: StateToSettle, { bucket }: Receipt): boolean =>
  !(isGone && bucket.kind === 'policy')

/** The settlement loop. Without an outcome nothing was written: other writes came first, or the generation has ended. */
const attempt = async (store: CachedBuckets, settlement: Settlement) => {
  const { receipt, moment } = settlement
  let state = await stateToSettle(store, settlement)
  for (let tries = 1; tries <= attemptsFor(settlement) && isSameGeneration(state, receipt); tries++) {
    const unconditional = tries >= UNCONDITIONAL_ATTEMPT
    const { now, elapsedNs } = moment()
    const { corrections, counters } = dueIn(settlement, state.snapshot, now)
    const fitsOnly = settlement.overage !== undefined
    const { snapshot, isCurrent } = state
    const known = { snapshot, isCurrent, generation: receipt.generation, unconditional, fitsOnly }
    const write = planSettlement({ corrections, counters, ...known, now, elapsedNs })
    const outcome = write && (await store.write(receipt.bucket, write))
    const isRefund = corrections.some(({ difference }) => difference < 0)
    const result = unconditional && isRefund ? 'overtaken' : 'settled'
    if (outcome === undefined) return { state, outcome: { result } as const }
    if (outcome.applied) return { state, outcome: { result, written: { item: outcome.item, now } } as const }
    state = storedState(outcome.item)
  }
  return { state, outcome: undefined }
}

/** The corrections and counters for a snapshot, which include as much of the overage as is available in it. */
const dueIn = (
  { receipt, corrections, counters, overage = [] }: Settlement,
  snapshot: BucketItem | undefined,
  now: bigint,
): Pick<Settlement, 'corrections' | 'counters'> => {
  const part = partOfOverage(receipt.limits, overage, snapshot, now)
  const charges = receipt.limits.flatMap((limit): readonly Correction[] => {
    const difference = onMeter(part, limit.meter) ?? 0
    return difference > 0 ? [{ receipt: limit, difference }] : []
  })
  return { corrections: [...corrections, ...charges], counters: withUse(counters, part) }
}

/** One action per counter: an expression names no attribute twice. */
const withUse = (counters: readonly Action[], used: Cost): readonly Action[] => {
  const sums = new Map<Action['path'], Action>(counters.map((action) => [action.path, action]))
  for (const [meter, amount] of Object.entries(used)) {
    const path = `used_${meter}`
    const before = sums.get(path)
    const counted = before?.does === 'add' ? before.value : 0n
    if (amount > 0) sums.set(path, add(path, counted + BigInt(amount)))
  }
  return [...sums.values()]
}

const attemptsFor = ({ corrections, overage = [] }: Settlement): number =>
  corrections.some(({ difference }) => difference > 0)
    ? MOST_ATTEMPTS
    : UNCONDITIONAL_ATTEMPT + corrections.length + 2 * overage.length

interface StateToSettle {
  readonly snapshot: BucketItem | undefined
  readonly isGone: boolean
  /** Whether it is the stored state, not a cached one. */
  readonly isCurrent: boolean
}

const storedState = (snapshot: BucketItem | undefined): StateToSettle => ({
  snapshot,
  isGone: snapshot === undefined,
  isCurrent: true,
})

/**
 * The cached state, else the stored one. A cached state of another generation is not used: only a stored one proves that the
 * generation has ended, or that an overage is not available.
 */
const stateToSettle = async (store: CachedBuckets, settlement: Settlement): Promise<StateToSettle> => {
  const { receipt, overage = [], moment } = settlement
  const guess = { snapshot: store.cached(receipt.bucket), isGone: false, isCurrent: false }
  const isUsable = guess.snapshot !== undefined && isSameGeneration(guess, receipt)
  if (isUsable && !isShort(receipt.limits, overage, guess.snapshot, moment().now)) return guess
  return storedState(await store.read(receipt.bucket))
}

const isSameGeneration = (
  { snapshot, isGone }: Pick<StateToSettle, 'snapshot' | 'isGone'>,
  { generation: born }: Receipt,
): boolean => born === undefined || (!isGone && numberIn(snapshot, 'born', born) === born)
