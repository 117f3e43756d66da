import type { BucketId } from '../bucket/bucket-store.ts'
import type { Receipt } from '../bucket/receipt.ts'
import type { Cost } from '../model/meter.ts'
import { DAY_SECONDS } from '../model/time.ts'
import type { Lease } from './lease.ts'

/** One bucket of a reservation. */
export interface ReservedPart {
  readonly bucket: BucketId
  /** Undefined if it is unknown what was charged. */
  readonly receipt?: Receipt
  /** The lease that paid, in the process that holds it: until it ends, what was not used returns to it. */
  readonly lease?: Lease
}

/** All that a reservation has charged, as data: any node that has it can settle it. */
export interface ReservedCharges {
  /** What was reserved per meter. */
  readonly reserved: Cost
  readonly parts: readonly ReservedPart[]
}

export const NO_CHARGES: ReservedCharges = { reserved: {}, parts: [] }

/** A reservation that outlives the request that made it. */
export interface StoredReservation {
  /** Random, so that it cannot be guessed. */
  readonly id: string
  /** The entity that it was made for; no other may end it. */
  readonly ownerId: string
  readonly charges: ReservedCharges
  /** ns since the epoch */
  readonly createdAt: bigint
  /** ns since the epoch: from then on it stays charged, and cannot be ended. */
  readonly expiresAt: bigint
}

export interface Closing {
  readonly id: string
  readonly ownerId: string
  readonly as: 'settled' | 'released'
  /** ns since the epoch */
  readonly now: bigint
  /** Unique to this closing: if its response was lost, a repetition with the same value has the same outcome. */
  readonly closedBy: string
}

/**
 * closed: it was open, and this closing ended it; the caller of the store settles the charges now. ended: how it had ended
 * before; nothing was changed. missing: there is none, or it is another's.
 */
export type CloseOutcome =
  | { readonly outcome: 'closed'; readonly reservation: StoredReservation }
  | { readonly outcome: 'ended'; readonly state: 'settled' | 'released' | 'expired' }
  | { readonly outcome: 'missing' }

export interface Extension {
  readonly id: string
  readonly ownerId: string
  /** ns since the epoch */
  readonly now: bigint
  /** ns since the epoch: when it is to expire. */
  readonly expiresAt: bigint
}

/** open: it expires at `expiresAt`, which may already have been later than requested. Else as of a closing. */
export type ExtendOutcome =
  | { readonly outcome: 'open'; readonly expiresAt: bigint }
  | Exclude<CloseOutcome, { readonly outcome: 'closed' }>

/** Where reservations live between two requests. Every adapter passes `test/store/reservation-store-contract.ts`. */
export interface ReservationStore {
  /** Keeps a new reservation, open. Throws `StoreUnavailable`. */
  put(reservation: StoredReservation): Promise<void>
  /** Ends a reservation by one conditional write: of all that try, one closes it. Throws `StoreUnavailable`. */
  close(closing: Closing): Promise<CloseOutcome>
  /** Makes an open reservation expire later, never earlier, by one conditional write. Throws `StoreUnavailable`. */
  extend(extension: Extension): Promise<ExtendOutcome>
}

/** How long an ended reservation is kept, so that a second attempt to end it gets its state. */
export const KEPT_AFTER_EXPIRY_SECONDS = BigInt(DAY_SECONDS)
