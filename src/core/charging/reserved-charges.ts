import type { BucketId } from '../bucket/bucket-id.ts'
import type { Cost } from '../limit/meter.ts'
import type { Receipt } from './settle-bucket.ts'

/** One bucket of a reservation. */
export interface ReservedPart {
  readonly bucket: BucketId
  /** What a settlement must know; none where it is not known what was charged. */
  readonly receipt?: Receipt
}

/** All that a reservation has charged, as data: whoever has it can settle it, on any node. */
export interface ReservedCharges {
  /** What was reserved per meter. */
  readonly reserved: Cost
  readonly parts: readonly ReservedPart[]
}

export const NO_CHARGES: ReservedCharges = { reserved: {}, parts: [] }
