import { fieldsOf } from '../bucket/algorithm.ts'
import { bookkeeping, numberIn, prefixed } from '../bucket/bucket-item.ts'
import { renewSlot, slotExpiry } from '../bucket/concurrency.ts'
import type { LimitReceipt, Receipt } from '../bucket/receipt.ts'
import { algorithmOfText } from '../bucket/registry.ts'
import type { BucketItem, ConditionalWrite } from '../bucket/write.ts'
import { IN_FLIGHT } from '../model/meter.ts'
import { HOUR_NS, larger, MINUTE_NS, smaller } from '../model/time.ts'
import type { Clock } from '../ports/platform.ts'
import type { CachedBuckets } from './cached-buckets.ts'
import type { ReservedPart } from './reservation-store.ts'

export interface RenewalDependencies {
  readonly store: CachedBuckets
  readonly clock: Clock
}

/** A slot that a charge has taken. */
const isHeld = ({ meter, charged }: LimitReceipt): boolean => meter === IN_FLIGHT && charged > 0

/** The receipt of the slots alone; undefined if the charge took none. */
const slotsIn = (receipt: Receipt | undefined): Receipt | undefined => {
  const limits = receipt?.limits.filter(isHeld) ?? []
  return receipt === undefined || limits.length === 0 ? undefined : { ...receipt, limits }
}

/** The parts of a reservation that hold slots, without what else they charged. */
export const slotParts = (parts: readonly ReservedPart[]): readonly ReservedPart[] =>
  parts.flatMap(({ bucket, receipt }) => {
    const held = slotsIn(receipt)
    return held === undefined ? [] : [{ bucket, receipt: held }]
  })

/** ns in which the first slot of `parts` expires unless it is renewed. */
export const shortestLease = (parts: readonly ReservedPart[]): bigint =>
  parts
    .flatMap(({ receipt }) => receipt?.limits ?? [])
    .reduce((least, receipt) => smaller(least, leaseOf(receipt)), HOUR_NS)

const leaseOf = ({ text }: LimitReceipt): bigint => algorithmOfText(text)?.windowNs ?? MINUTE_NS

/** On a busy bucket, another write may move `ttl` first. */
const MOST_ATTEMPTS = 4

/**
 * Lets all slots of a reservation expire at `until`, ns since the epoch (default: after the `lease_seconds` of each limit): one
 * write per bucket, on condition that the slots are there and expire earlier. False: a slot is gone, because it had expired or the
 * bucket was reset. Throws `StoreUnavailable`.
 */
export const renewSlots = async (
  deps: RenewalDependencies,
  parts: readonly ReservedPart[],
  until?: bigint,
): Promise<boolean> => {
  const held = slotParts(parts).flatMap(({ receipt }) => receipt ?? [])
  const renewed = await Promise.all(held.map((receipt) => renewPart(deps, receipt, until)))
  return renewed.every((isRenewed) => isRenewed)
}

/** The renewal loop: a cached state only selects the write; the stored one, which a failed write returns, shows what is gone. */
const renewPart = async (
  { store, clock }: RenewalDependencies,
  receipt: Receipt,
  until: bigint | undefined,
): Promise<boolean> => {
  let snapshot = store.cached(receipt.bucket) ?? (await store.read(receipt.bucket))
  for (let tries = 0; tries < MOST_ATTEMPTS; tries++) {
    const now = clock.now()
    const isCurrent = tries > 0
    const due = isCurrent
      ? receipt.limits.filter((limit) => isDue(snapshot, limit, endOf(limit, now, until)))
      : receipt.limits
    const isOther = numberIn(snapshot, 'born', 0n) !== receipt.generation
    if (due.length === 0 || (isCurrent && isOther)) return areThere(snapshot, receipt)
    const outcome = await store.write(receipt.bucket, planRenewal(snapshot, due, now, until))
    if (outcome.applied) return areThere(outcome.item, receipt)
    snapshot = outcome.item
  }
  return false
}

const endOf = (receipt: LimitReceipt, now: bigint, until: bigint | undefined): bigint =>
  until ?? now + leaseOf(receipt)

const expiryIn = (snapshot: BucketItem | undefined, { limitName, basis }: LimitReceipt): bigint | undefined =>
  snapshot && slotExpiry(fieldsOf(snapshot, limitName), basis)

const isDue = (snapshot: BucketItem | undefined, receipt: LimitReceipt, end: bigint): boolean => {
  const expiry = expiryIn(snapshot, receipt)
  return expiry !== undefined && expiry < end
}

const areThere = (snapshot: BucketItem | undefined, { generation, limits }: Receipt): boolean =>
  numberIn(snapshot, 'born', -1n) === generation &&
  limits.every((receipt) => expiryIn(snapshot, receipt) !== undefined)

const planRenewal = (
  snapshot: BucketItem | undefined,
  due: readonly LimitReceipt[],
  now: bigint,
  until: bigint | undefined,
): ConditionalWrite => {
  const renewals = due.map((receipt) => ({ ...receipt, end: endOf(receipt, now, until) }))
  const lastEnd = renewals.reduce((latest, { end }) => larger(latest, end), now)
  const kept = bookkeeping(snapshot, now, lastEnd)
  const parts = renewals.flatMap(({ limitName, basis, end }) => {
    const write = renewSlot(basis, end)
    return write ? [prefixed(limitName, write)] : []
  })
  return {
    conditions: [...kept.conditions, ...parts.flatMap(({ conditions }) => conditions)],
    actions: [...kept.actions, ...parts.flatMap(({ actions }) => actions)],
  }
}
