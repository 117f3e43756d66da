import type { BucketId } from '../bucket/bucket-id.ts'
import type { Lease } from '../leasing/lease.ts'
import type { Cost } from '../limit/meter.ts'
import type { Receipt } from './settle-bucket.ts'

/** One bucket of a reservation. */
export interface ReservedPart {
  readonly bucket: BucketId
  /** What a settlement must know; none where it is not known what was charged. */
  readonly receipt?: Receipt
  /** The lease that it was spent from, in the process that holds it: while it lives, it takes back what was not used. */
  readonly lease?: Lease
}

/** All that a reservation has charged, as data: whoever has it can settle it, on any node. */
export interface ReservedCharges {
  /** What was reserved per meter. */
  readonly reserved: Cost
  readonly parts: readonly ReservedPart[]
}

export const NO_CHARGES: ReservedCharges = { reserved: {}, parts: [] }
