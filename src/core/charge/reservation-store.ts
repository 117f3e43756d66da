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
  /** The lease that paid, only in its own process: until it ends, unused tokens return to it. */
  readonly lease?: Lease
}

/** The charges of a reservation, as data by which any node can settle it. */
export interface ReservedCharges {
  /** The reserved amount per meter. */
  readonly reserved: Cost
  readonly parts: readonly ReservedPart[]
}

export const NO_CHARGES: ReservedCharges = { reserved: {}, parts: [] }

/** A reservation that outlives the request that created it. */
export interface StoredReservation {
  /** Random, so that it cannot be guessed. */
  readonly id: string
  /** The entity that may end it. */
  readonly ownerId: string
  readonly charges: ReservedCharges
  /** ns since the epoch */
  readonly createdAt: bigint
  /** ns since the epoch; from then on it cannot be ended, and stays charged. */
  readonly expiresAt: bigint
}

export interface Closing {
  readonly id: string
  readonly ownerId: string
  readonly as: 'settled' | 'released'
  /** ns since the epoch */
  readonly now: bigint
  /** Unique to this closing: if the response is lost, a repetition with the same value has the same outcome. */
  readonly closedBy: string
}

/**
 * closed: this closing ended it, and its charges are now to be settled. ended: it had already ended as `state` says. missing:
 * there is no reservation of this id and owner.
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
  /** The new expiry, ns since the epoch. */
  readonly expiresAt: bigint
}

/** open: it expires at `expiresAt`, which may be later than requested, and `charges` are its own. Otherwise as `CloseOutcome`. */
export type ExtendOutcome =
  | { readonly outcome: 'open'; readonly expiresAt: bigint; readonly charges: ReservedCharges }
  | Exclude<CloseOutcome, { readonly outcome: 'closed' }>

/** Stores reservations between two requests. Every adapter passes `test/store/reservation-store-suite.ts`. */
export interface ReservationStore {
  /** Stores a new open reservation. Throws `StoreUnavailable`. */
  put(reservation: StoredReservation): Promise<void>
  /** Ends a reservation by one conditional write: of several closings, exactly one succeeds. Throws `StoreUnavailable`. */
  close(closing: Closing): Promise<CloseOutcome>
  /** Moves the expiry of an open reservation, never to an earlier time, by one conditional write. Throws `StoreUnavailable`. */
  extend(extension: Extension): Promise<ExtendOutcome>
}

/** The time for which an ended reservation is kept, so that a second attempt to end it receives its state. */
export const KEPT_AFTER_EXPIRY_SECONDS = BigInt(DAY_SECONDS)
