import type { ReservationStore, ReservedCharges, StoredReservation } from '../charge/reservation-store.ts'
import type { SettledBy } from '../charge/settle.ts'
import type { Reservation } from '../decide/decision.ts'
import type { Limiter } from '../decide/limiter.ts'
import { isId } from '../model/entity.ts'
import { StoreUnavailable, ZaelError } from '../model/errors.ts'
import type { Cost } from '../model/meter.ts'
import { roundedUp, SECOND_NS } from '../model/time.ts'
import type { Clock, Secrets } from '../ports/platform.ts'

/** What has become of a reservation. `changed`: by this call. */
export interface Ended {
  readonly changed: boolean
  readonly state: 'settled' | 'released' | 'expired'
}

/** The result of extending a reservation. `changed`: it now ends when this call asked for. */
export interface Extended {
  readonly changed: boolean
  readonly state: 'open' | 'settled' | 'released' | 'expired'
  /** ns since the epoch, where it is open. */
  readonly expiresAt?: bigint
}

/** Reservations that are settled by another request than the one that made them, on any node. */
export interface ReservationService {
  /**
   * Keeps what was charged, for `lifetimeSeconds`. Where it cannot be kept, nobody could settle it: then it is given back
   * before `StoreUnavailable` is thrown.
   */
  hold(ownerId: string, reservation: Reservation, lifetimeSeconds: number): Promise<StoredReservation>
  /**
   * Settles a reservation to `actual`, or gives all back (null), once. `by`: the caller settles it themselves, which bounds
   * what it charges to buckets that others share. Throws `ZaelError('not_found')` where `ownerId` has no such reservation,
   * `StoreUnavailable`.
   */
  end(ownerId: string, id: string, actual: Cost | null, by?: SettledBy): Promise<Ended>
  /** Makes an open reservation expire `lifetimeSeconds` from now, unless it does so later already. Throws as `end`. */
  extend(ownerId: string, id: string, lifetimeSeconds: number): Promise<Extended>
}

export interface ReservationDependencies {
  readonly limiter: Pick<Limiter, 'settleCharges'>
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
      expiresAt: endOf(now, lifetimeSeconds),
    }
    try {
      await deps.reservations.put(stored)
      return stored
    } catch (error) {
      // also where it may have been kept: its id is random, and nobody was told
      await reservation.release()
      throw error
    }
  },

  /**
   * First closed, then settled: a process that dies in between leaves all of it charged, which errs towards denying. The
   * other way round two could settle.
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
    const expiresAt = endOf(now, lifetimeSeconds)
    const extension = { id, ownerId, now, expiresAt }
    const extended = await twiceAtMost(() => deps.reservations.extend(extension))
    if (extended.outcome === 'missing') throw unknownReservation(id)
    if (extended.outcome === 'ended') return { changed: false, state: extended.state }
    return { changed: extended.expiresAt === expiresAt, state: 'open', expiresAt: extended.expiresAt }
  },
})

/** A whole second, as answers have it. */
const endOf = (now: bigint, lifetimeSeconds: number): bigint =>
  (roundedUp(now, SECOND_NS) + BigInt(lifetimeSeconds)) * SECOND_NS

/** Leases belong to this process; a stored reservation may be settled by any node, in the table. */
const withoutLeases = ({ reserved, parts }: ReservedCharges): ReservedCharges => ({
  reserved,
  parts: parts.map(({ lease: _, ...part }) => part),
})

/** Repeats a call whose response was lost: the store recognizes the same closing, and extends to the same end. */
const twiceAtMost = async <T>(call: () => Promise<T>): Promise<T> => {
  try {
    return await call()
  } catch (error) {
    if (error instanceof StoreUnavailable && error.mayHaveApplied) return call()
    throw error
  }
}

/** An id that the client made up may be as long as a body, so only one of a valid form is repeated. */
const unknownReservation = (id: string): ZaelError =>
  new ZaelError('not_found', isId(id) ? `You have no reservation ${id}` : 'You have no such reservation', {
    field: 'reservation_id',
  })
