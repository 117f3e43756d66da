import { fieldsOf } from '../algorithms/algorithm.ts'
import type { BucketId } from '../bucket/bucket-id.ts'
import type { BucketItem } from '../bucket/conditional-write.ts'
import { boundOf, type LimitInForce, numberIn, textPath, versionPath } from '../bucket/limit-in-force.ts'
import type { LimitReceipt } from '../bucket/plan-settlement.ts'
import { isEnforced } from '../limit/limit.ts'
import type { Cost } from '../limit/meter.ts'
import type { Receipt } from './settle-bucket.ts'

/** A bucket right after a charge by `limits`. */
export interface ChargedBucket {
  readonly bucket: BucketId
  readonly limits: readonly LimitInForce[]
  readonly item: BucketItem | undefined
}

/** What a charge of `cost` at `now` must remember. */
export const receiptOf = (
  { bucket, limits, item = {} }: ChargedBucket,
  cost: Cost,
  now: bigint,
): Receipt => ({
  bucket,
  born: numberIn(item, 'born', now),
  chargedAt: now,
  limits: limits.map((inForce): LimitReceipt => {
    const { limit, algorithm, version } = inForce
    const text = item[textPath(limit.name)]
    return {
      limitName: limit.name,
      meter: limit.meter,
      text: typeof text === 'string' ? text : algorithm.text,
      version: numberIn(item, versionPath(limit.name), version),
      charged: cost[limit.meter] ?? 0,
      memory: algorithm.remember(fieldsOf(item, limit.name), now),
      full: limit.refund === 'full',
      soft: !isEnforced(limit),
      headroom: algorithm.capacity - boundOf(inForce),
    }
  }),
})

/** Of a bucket that a cost does not touch: nothing is charged, but what is used in the end may be of a meter that it counts. */
export const uncharged = (plan: Omit<ChargedBucket, 'item'>, cost: Cost, now: bigint): Receipt => ({
  ...receiptOf({ ...plan, item: undefined }, cost, now),
  born: undefined,
})

/** A receipt for a part of what was charged together. */
export const receiptFor = (receipt: Receipt, cost: Cost): Receipt => ({
  ...receipt,
  limits: receipt.limits.map((limit) => ({ ...limit, charged: cost[limit.meter] ?? 0 })),
})
