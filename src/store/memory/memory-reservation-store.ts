import {
  type Closing,
  KEPT_AFTER_EXPIRY_SECONDS,
  type ReservationStore,
  type StoredReservation,
} from '../../core/charge/reservation-store.ts'
import { larger } from '../../core/model/time.ts'
import { dropOldest } from './drop-oldest.ts'

interface Kept {
  readonly reservation: StoredReservation
  readonly ended?: Pick<Closing, 'as' | 'closedBy'>
}

const KEPT_NS = KEPT_AFTER_EXPIRY_SECONDS * 1_000_000_000n

/** Reservations without an engine: for tests, and a single process that may forget. */
export const createMemoryReservationStore = (): ReservationStore => {
  const kept = new Map<string, Kept>()
  return {
    async put(reservation) {
      dropOldest(kept, (each) => each.reservation.expiresAt + KEPT_NS <= reservation.createdAt)
      kept.set(reservation.id, { reservation })
    },
    async close({ id, ownerId, as, now, closedBy }) {
      const found = kept.get(id)
      if (found === undefined || found.reservation.ownerId !== ownerId) return { outcome: 'missing' }
      const { reservation, ended } = found
      if (ended !== undefined && ended.closedBy !== closedBy) return { outcome: 'ended', state: ended.as }
      if (ended === undefined && reservation.expiresAt <= now) return { outcome: 'ended', state: 'expired' }
      kept.set(id, { reservation, ended: { as, closedBy } })
      return { outcome: 'closed', reservation }
    },
    async extend({ id, ownerId, now, expiresAt }) {
      const found = kept.get(id)
      if (found === undefined || found.reservation.ownerId !== ownerId) return { outcome: 'missing' }
      const { reservation, ended } = found
      if (ended !== undefined) return { outcome: 'ended', state: ended.as }
      if (reservation.expiresAt <= now) return { outcome: 'ended', state: 'expired' }
      const latest = larger(reservation.expiresAt, expiresAt)
      kept.set(id, { reservation: { ...reservation, expiresAt: latest } })
      return { outcome: 'open', expiresAt: latest }
    },
  }
}
