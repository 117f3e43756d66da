import { countersWrite } from '../bucket/bookkeeping.ts'
import type { BucketId } from '../bucket/bucket-id.ts'
import type { Action, BucketItem } from '../bucket/conditional-write.ts'
import { numberIn } from '../bucket/limit-in-force.ts'
import { type Correction, type LimitReceipt, planSettlement } from '../bucket/plan-settlement.ts'
import type { BucketWriter } from './bucket-writer.ts'

/** What a charge on one bucket must remember to be settled later, by any node. */
export interface Receipt {
  readonly bucket: BucketId
  /** The life of the bucket that was charged; undefined: nothing was charged, so what is owed is owed in any life. */
  readonly born: bigint | undefined
  /** ns since the epoch */
  readonly chargedAt: bigint
  readonly limits: readonly LimitReceipt[]
}

export interface Settlement {
  readonly receipt: Receipt
  readonly corrections: readonly Correction[]
  /** Asked before each try: what time has given back while others were faster does not come back once more. */
  moment(): Moment
  /** What to add to `used_*` and `denied_*`, whatever becomes of the limits. */
  readonly counters: readonly Action[]
}

export interface Moment {
  /** ns since the epoch */
  readonly now: bigint
  /** ns since the charge: the larger of what the wall clock and the steady clock say. */
  readonly elapsedNs: bigint
}

/** From this attempt on refunds take only what cannot be refused; an optimistic one and informed ones came before. */
const SURE_ATTEMPT = 4
/** What is owed is not let go: under contention each try loses to one write of another. */
const MOST_ATTEMPTS = 20

/** overtaken: others wrote faster, and a part of what was to be given back, or owed, was not written. */
export type SettlementResult = 'settled' | 'overtaken'

/**
 * Brings one bucket to what it would be had the actual cost been charged at the start, or stricter, in one write nearly
 * always; none where there is nothing to change and nothing to count. Where the life that was charged is over, only the
 * counters are written. Throws `StoreUnavailable`; a lost answer is not asked for again.
 */
export const settleBucket = async (
  writer: BucketWriter,
  settlement: Settlement,
): Promise<SettlementResult> => {
  const { receipt, counters } = settlement
  const attempted = await attempt(writer, settlement)
  if (attempted.result !== undefined) return attempted.result
  if (counters.length > 0) {
    await writer.write(receipt.bucket, countersWrite(counters, settlement.moment().now))
  }
  return isSameLife(attempted.state, receipt) ? 'overtaken' : 'settled'
}

/** Without a result nothing was written: others were faster each time, or the life that was charged is over. */
const attempt = async (writer: BucketWriter, settlement: Settlement) => {
  const { receipt, corrections, counters, moment } = settlement
  const isRefund = corrections.some(({ difference }) => difference < 0)
  let state = await stateToSettle(writer, settlement)
  for (let tries = 1; tries <= attemptsFor(corrections) && isSameLife(state, receipt); tries++) {
    const surely = tries >= SURE_ATTEMPT
    const known = { seen: state.seen, born: receipt.born, surely }
    const write = planSettlement({ corrections, counters, ...known, ...moment() })
    const outcome = write && (await writer.write(receipt.bucket, write))
    const result: SettlementResult = surely && isRefund ? 'overtaken' : 'settled'
    if (outcome === undefined || outcome.applied) return { state, result }
    state = { seen: outcome.item, isGone: outcome.item === undefined }
  }
  return { state, result: undefined }
}

const attemptsFor = (corrections: readonly Correction[]): number =>
  corrections.some(({ difference }) => difference > 0) ? MOST_ATTEMPTS : SURE_ATTEMPT + corrections.length

interface StateToSettle {
  readonly seen: BucketItem | undefined
  readonly isGone: boolean
}

/**
 * What this node last saw will do, else it is read. A guess of another life is none: only what is stored may say that the
 * life is over.
 */
const stateToSettle = async (writer: BucketWriter, { receipt }: Settlement): Promise<StateToSettle> => {
  const guess = { seen: writer.lastSeen(receipt.bucket), isGone: false }
  if (guess.seen !== undefined && isSameLife(guess, receipt)) return guess
  const stored = await writer.read(receipt.bucket)
  return { seen: stored, isGone: stored === undefined }
}

const isSameLife = ({ seen, isGone }: StateToSettle, { born }: Receipt): boolean =>
  born === undefined || (!isGone && numberIn(seen, 'born', born) === born)
