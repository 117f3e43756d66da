import type { ReservationStore, ReservedCharges, StoredReservation } from '../charge/reservation-store.ts'
import type { SettledBy } from '../charge/settle.ts'
import type { Reservation } from '../decide/decision.ts'
import type { Limiter } from '../decide/limiter.ts'
import { isId } from '../model/entity.ts'
import { StoreUnavailable, ZaelError } from '../model/errors.ts'
import type { Cost } from '../model/meter.ts'
import { roundedUp, SECOND_NS } from '../model/time.ts'
import type { Clock, Secrets } from '../ports/platform.ts'

/** The state of a reservation after a call that ends it. `changed`: this call ended it. */
export interface Ended {
  readonly changed: boolean
  readonly state: 'settled' | 'released' | 'expired'
}

/** The result of extending a reservation. `changed`: it now expires at the time that this call requested. */
export interface Extended {
  readonly changed: boolean
  readonly state: 'open' | 'settled' | 'released' | 'expired'
  /** ns since the epoch; present if it is open. */
  readonly expiresAt?: bigint
}

/** Reservations that a later request settles, on any node. */
export interface ReservationService {
  /**
   * Stores a reservation for `lifetimeSeconds`. If it cannot be stored, it could not be settled: it is released, then
   * `StoreUnavailable` is thrown.
   */
  hold(ownerId: string, reservation: Reservation, lifetimeSeconds: number): Promise<StoredReservation>
  /**
   * Settles a reservation to `actual`, or refunds all of it (null), once. `by`: the caller settles it themselves, which bounds
   * the amounts charged to shared buckets. Throws `ZaelError('not_found')` if `ownerId` has no such reservation, and
   * `StoreUnavailable`.
   */
  end(ownerId: string, id: string, actual: Cost | null, by?: SettledBy): Promise<Ended>
  /**
   * Makes an open reservation, and the slots that it holds, expire `lifetimeSeconds` from now, unless they do later. Throws as
   * `end`.
   */
  extend(ownerId: string, id: string, lifetimeSeconds: number): Promise<Extended>
}

export interface ReservationDependencies {
  readonly limiter: Pick<Limiter, 'settleCharges' | 'renewSlots'>
  readonly reservations: ReservationStore
  readonly clock: Clock
  readonly secrets: Pick<Secrets, 'id'>
}

export const createReservationService = (deps: ReservationDependencies): ReservationService => ({
  async hold(ownerId, reservation, lifetimeSeconds) {
    const now = deps.clock.now()
    const stored: StoredReservation = {
      id: deps.secrets.id(),
      ownerId,
      charges: withoutLeases(reservation.charges),
      createdAt: now,
      // the slots that it holds expire with it
      expiresAt: reservation.held?.until ?? reservationEnd(now, lifetimeSeconds),
    }
    try {
      await deps.reservations.put(stored)
      return stored
    } catch (error) {
      // even if it may have been stored: its id is random and was never sent
      await reservation.release()
      throw error
    }
  },

  /**
   * Closes first, then settles: a crash in between leaves the whole reservation charged, which errs towards denying. In the
   * opposite order, two requests could both settle.
   */
  async end(ownerId, id, actual, by) {
    if (!isId(id)) throw unknownReservation(id)
    const as = actual === null ? 'released' : 'settled'
    const closing = { id, ownerId, as, now: deps.clock.now(), closedBy: deps.secrets.id() } as const
    const closed = await twiceAtMost(() => deps.reservations.close(closing))
    if (closed.outcome === 'missing') throw unknownReservation(id)
    if (closed.outcome === 'ended') return { changed: false, state: closed.state }
    await deps.limiter.settleCharges(closed.reservation.charges, actual, by)
    return { changed: true, state: as }
  },

  async extend(ownerId, id, lifetimeSeconds) {
    if (!isId(id)) throw unknownReservation(id)
    const now = deps.clock.now()
    const expiresAt = reservationEnd(now, lifetimeSeconds)
    const extension = { id, ownerId, now, expiresAt }
    const extended = await twiceAtMost(() => deps.reservations.extend(extension))
    if (extended.outcome === 'missing') throw unknownReservation(id)
    if (extended.outcome === 'ended') return { changed: false, state: extended.state }
    // again if it was extended already: then the slots may not have been
    await deps.limiter.renewSlots(extended.charges, extended.expiresAt)
    return { changed: extended.expiresAt === expiresAt, state: 'open', expiresAt: extended.expiresAt }
  },
})

/** When a reservation of `now` expires, ns since the epoch: rounded up to a whole second, the unit of responses. */
export const reservationEnd = (now: bigint, lifetimeSeconds: number): bigint =>
  (roundedUp(now, SECOND_NS) + BigInt(lifetimeSeconds)) * SECOND_NS

/** Leases belong to this process, but any node may settle a stored reservation. */
const withoutLeases = ({ reserved, parts }: ReservedCharges): ReservedCharges => ({
  reserved,
  parts: parts.map(({ lease: _, ...part }) => part),
})

/** Repeats a call whose response was lost: closing and extending are idempotent. */
const twiceAtMost = async <T>(call: () => Promise<T>): Promise<T> => {
  try {
    return await call()
  } catch (error) {
    if (error instanceof StoreUnavailable && error.mayHaveApplied) return call()
    throw error
  }
}

/** An invalid id may be as long as a body, so the message contains only valid ones. */
const unknownReservation = (id: string): ZaelError =>
  new ZaelError('not_found', isId(id) ? `You have no reservation ${id}` : 'You have no such reservation', {
    field: 'reservation_id',
  })
