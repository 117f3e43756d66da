import { isEnforced } from '../model/limit.ts'
import { type ChargedCost, IN_FLIGHT, type LimitMeter } from '../model/meter.ts'
import { fieldsOf, type RefundBasis } from './algorithm.ts'
import { numberIn, textPath, versionPath } from './bucket-item.ts'
import type { BucketId } from './bucket-store.ts'
import { boundOf, type EffectiveLimit } from './effective-limit.ts'
import type { BucketItem } from './write.ts'

/** The data of a charge on one limit that its settlement requires. */
export interface LimitReceipt {
  readonly limitName: string
  readonly meter: LimitMeter
  /** As in the bucket right after the charge: a limit that has changed since receives no refund. */
  readonly text: string
  readonly version: bigint
  /** Of a concurrency limit, the number of slots: 0 or 1. */
  readonly charged: number
  readonly basis: RefundBasis
  /** Whether a refund returns all (`refund: "full"`). */
  readonly full: boolean
  /** True: the limit only warns. Use beyond the charge is charged only if it fits, so that the limit is never in debt. */
  readonly soft: boolean
  /** Tokens of the capacity that are reserved for callers of a higher priority. */
  readonly headroom: number
  /** The next transition of the limit's schedule, ns since the epoch: from then on nothing is refunded. */
  readonly refundableUntil?: bigint
}

/** The data of a charge on one bucket by which any node can settle it. */
export interface Receipt {
  readonly bucket: BucketId
  /** The generation of the bucket that was charged; undefined if nothing was: then use is charged to any generation. */
  readonly generation: bigint | undefined
  /** ns since the epoch */
  readonly chargedAt: bigint
  readonly limits: readonly LimitReceipt[]
}

/** A bucket right after a charge by `limits`. */
export interface ChargedBucket {
  readonly bucket: BucketId
  readonly limits: readonly EffectiveLimit[]
  readonly item: BucketItem | undefined
}

/** The receipt of a charge of `cost` at `now`. */
export const receiptOf = (
  { bucket, limits, item = {} }: ChargedBucket,
  cost: ChargedCost,
  now: bigint,
): Receipt => ({
  bucket,
  generation: numberIn(item, 'born', now),
  chargedAt: now,
  limits: limits.map((effective): LimitReceipt => {
    const { limit, algorithm, version } = effective
    const text = item[textPath(limit.name)]
    return {
      limitName: limit.name,
      meter: limit.meter,
      text: typeof text === 'string' ? text : algorithm.text,
      version: numberIn(item, versionPath(limit.name), version),
      charged: chargedBy(cost, limit.meter),
      basis: algorithm.refundBasis(fieldsOf(item, limit.name), now, cost.slots),
      full: limit.refund === 'full',
      soft: !isEnforced(limit),
      headroom: algorithm.capacity - boundOf(effective),
      ...(effective.scheduled?.until !== undefined && { refundableUntil: effective.scheduled.until }),
    }
  }),
})

const chargedBy = (cost: ChargedCost, meter: LimitMeter): number =>
  meter === IN_FLIGHT ? (cost.slots?.length ?? 0) : (cost[meter] ?? 0)

/** For a bucket whose meters the cost does not name: nothing is charged, but the actual cost may name one of them. */
export const uncharged = (bucket: Omit<ChargedBucket, 'item'>, cost: ChargedCost, now: bigint): Receipt => ({
  ...receiptOf({ ...bucket, item: undefined }, cost, now),
  generation: undefined,
})

/** The receipt of a part of a charge. */
export const receiptFor = (receipt: Receipt, cost: ChargedCost): Receipt => ({
  ...receipt,
  limits: receipt.limits.map((limit) => ({ ...limit, charged: chargedBy(cost, limit.meter) })),
})
