import { IN_FLIGHT } from '../model/meter.ts'
import { larger } from '../model/time.ts'
import { type Algorithm, fieldsOf, type LimitFields } from './algorithm.ts'
import {
  type Bookkeeping,
  bookkeeping,
  numberIn,
  type PrefixedWrite,
  prefixed,
  sameGeneration,
  textIn,
  textPath,
  unchangedSince,
  versionPath,
} from './bucket-item.ts'
import { releaseSlot, slotExpiry } from './concurrency.ts'
import type { LimitReceipt } from './receipt.ts'
import { algorithmOfText } from './registry.ts'
import { type Action, type BucketItem, type ConditionalWrite, equal, missing, set } from './write.ts'

/** A limit to settle; `difference` is the actual use minus the charge. */
export interface Correction {
  readonly receipt: LimitReceipt
  readonly difference: number
}

export interface SettlementPlan {
  /** The last known state of the generation that was charged; undefined if nothing was charged and nothing is stored. */
  readonly snapshot: BucketItem | undefined
  /** The generation that was charged; undefined if nothing was charged, so that there is nothing to refund. */
  readonly generation: bigint | undefined
  readonly corrections: readonly Correction[]
  readonly now: bigint
  /** ns since the charge */
  readonly elapsedNs: bigint
  /** True: the snapshot is the stored state, not a cached one, which may be older than the charge. */
  readonly isCurrent: boolean
  /** True: refund only the amount that requires no condition, so that no refund can fail. */
  readonly unconditional: boolean
  /**
   * True: additional use is charged only if it fits, within the caller's share of the limit. So the write cannot put the
   * bucket into debt.
   */
  readonly fitsOnly: boolean
  readonly counters: readonly Action[]
}

/**
 * One write that settles one bucket: it refunds unused tokens, charges additional use, and adds to the counters; undefined if
 * there is nothing to write. A limit that has changed since the charge receives no refund, and is charged by its stored size.
 */
export const planSettlement = (plan: SettlementPlan): ConditionalWrite | undefined => {
  const refunds = plan.corrections.flatMap((correction) => refund(plan, correction) ?? [])
  const debits = plan.corrections.filter((correction) => isDue(plan, correction))
  if (refunds.length + debits.length + plan.counters.length === 0) return undefined
  const head = headOf(plan, debits)
  const parts = [...refunds, ...debits.map((debit) => debitOne(plan, debit, head.latestFullAt))]
  return {
    conditions: [
      ...head.conditions,
      ...unchangedSince(plan.snapshot, parts),
      ...parts.flatMap(({ conditions }) => conditions),
    ],
    actions: [...head.actions, ...parts.flatMap(({ actions }) => actions), ...plan.counters],
  }
}

/** Whether additional use is to be charged; on a limit that only warns, only if it fits. */
const isDue = (plan: SettlementPlan, { receipt, difference }: Correction): boolean => {
  if (difference <= 0 || !receipt.soft) return difference > 0
  const algorithm = algorithmFor(plan.snapshot, receipt)
  const { capacity } = algorithm
  const fields = fieldsIn(plan.snapshot, receipt) ?? {}
  return difference <= capacity && algorithm.wait(fields, difference, plan.now, capacity) === 0n
}

/** Refunds alone require only the generation that was charged. */
const headOf = (plan: SettlementPlan, debits: readonly Correction[]): Bookkeeping => {
  const { snapshot, generation: born, now } = plan
  if (debits.length === 0 && born !== undefined) return { ...sameGeneration(born), latestFullAt: now }
  const fullAt = debits.reduce((latest, debit) => larger(latest, fullAfter(plan, debit)), now)
  return bookkeeping(snapshot, now, fullAt)
}

const refund = (plan: SettlementPlan, { receipt, difference }: Correction): PrefixedWrite | undefined => {
  const { snapshot, now, elapsedNs, unconditional } = plan
  if (difference >= 0) return undefined
  if (receipt.meter === IN_FLIGHT) return release(plan, receipt)
  if (snapshot === undefined || hasChanged(snapshot, receipt, now)) return undefined
  const { basis, full, limitName } = receipt
  const refund = { basis, full, amount: -difference, now, elapsedNs, unconditional }
  const write = algorithmNamed(receipt.text).refund(fieldsOf(snapshot, limitName), refund)
  if (write === undefined) return undefined
  const { conditions, actions, requiresSnapshot } = prefixed(limitName, write)
  const unchanged = [
    equal(textPath(receipt.limitName), receipt.text),
    equal(versionPath(receipt.limitName), receipt.version),
  ]
  return { conditions: [...unchanged, ...conditions], actions, requiresSnapshot }
}

/** Removes the slot even if the limit has changed since, and even if the cached state does not contain it yet. */
const release = ({ snapshot, isCurrent }: SettlementPlan, { limitName, basis }: LimitReceipt) => {
  const isGone = isCurrent && slotExpiry(snapshot ? fieldsOf(snapshot, limitName) : {}, basis) === undefined
  const write = isGone ? undefined : releaseSlot(basis)
  return write && prefixed(limitName, write)
}

const debitOne = (
  plan: SettlementPlan,
  { receipt, difference }: Correction,
  latest: bigint,
): PrefixedWrite => {
  const { limitName, version, soft, headroom } = receipt
  const known = textIn(plan.snapshot, limitName)
  const text = known ?? receipt.text
  const algorithm = algorithmNamed(text)
  const fields = fieldsIn(plan.snapshot, receipt)
  const bound = plan.fitsOnly && !soft ? algorithm.capacity - headroom : algorithm.capacity
  const write =
    soft || plan.fitsOnly
      ? algorithm.charge(fields, difference, plan.now, bound)
      : algorithm.debit(fields, difference, plan.now, latest)
  const { conditions, actions, requiresSnapshot } = prefixed(limitName, write)
  if (known !== undefined)
    return { conditions: [equal(textPath(limitName), text), ...conditions], actions, requiresSnapshot }
  return {
    requiresSnapshot,
    conditions: [missing(textPath(limitName)), ...conditions],
    actions: [...actions, set(textPath(limitName), text), set(versionPath(limitName), version)],
  }
}

const fullAfter = ({ snapshot, now }: SettlementPlan, { receipt, difference }: Correction): bigint =>
  algorithmFor(snapshot, receipt).fullAt(fieldsIn(snapshot, receipt) ?? {}, difference, now)

/** Since the charge; a limit with a schedule also at a transition, even if nothing has been charged since. */
const hasChanged = (
  snapshot: BucketItem,
  { limitName, text, version, refundableUntil }: LimitReceipt,
  now: bigint,
): boolean =>
  textIn(snapshot, limitName) !== text ||
  numberIn(snapshot, versionPath(limitName), -1n) !== version ||
  (refundableUntil !== undefined && now >= refundableUntil)

/** The state of a receipt's limit; undefined if nothing is stored. */
export const fieldsIn = (
  snapshot: BucketItem | undefined,
  { limitName }: LimitReceipt,
): LimitFields | undefined => snapshot && fieldsOf(snapshot, limitName)

/** The arithmetic of a receipt's limit: of its size in the bucket, or else in the receipt. */
export const algorithmFor = (
  snapshot: BucketItem | undefined,
  { limitName, text }: LimitReceipt,
): Algorithm => algorithmNamed(textIn(snapshot, limitName) ?? text)

const algorithmNamed = (text: string): Algorithm => {
  const algorithm = algorithmOfText(text)
  if (algorithm === undefined)
    throw new Error(`a receipt names a limit that this version of zael does not know: ${text}`)
  return algorithm
}
