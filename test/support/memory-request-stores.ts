import {
  type Closing,
  KEPT_AFTER_EXPIRY_SECONDS,
  type ReservationStore,
  type StoredReservation,
} from '../../src/core/charge/reservation-store.ts'
import { larger } from '../../src/core/model/time.ts'
import type {
  Beginning,
  BeginOutcome,
  IdempotencyKey,
  IdempotencyStore,
  KeptResponse,
} from '../../src/core/ports/idempotency-store.ts'
import type { KeptModelResponse, ResponseStore } from '../../src/core/ports/response-store.ts'

/** Removes expired values from the oldest on, up to the first that is not expired, as the TTL of a table does. */
const removeExpired = <V>(kept: Map<string, V>, isExpired: (value: V) => boolean): void => {
  for (const [key, value] of kept) {
    if (!isExpired(value)) return
    kept.delete(key)
  }
}

interface KeptAttempt extends Pick<Beginning, 'bodyHash' | 'attemptId' | 'pendingUntil' | 'expiresAt'> {
  readonly response?: KeptResponse
}

/** An idempotency store in memory. */
export const createMemoryIdempotencyStore = (): IdempotencyStore => {
  const kept = new Map<string, KeptAttempt>()
  return {
    async begin({ key, now, ...beginning }) {
      removeExpired(kept, ({ expiresAt }) => expiresAt <= now)
      const found = kept.get(nameOf(key))
      const outcome = found === undefined ? BEGUN : outcomeOf(found, beginning, now)
      if (outcome.outcome === 'begun') {
        kept.delete(nameOf(key))
        kept.set(nameOf(key), beginning)
      }
      return outcome
    },
    async find({ key, bodyHash, now }) {
      const found = kept.get(nameOf(key))
      const outcome = found === undefined ? BEGUN : outcomeOf(found, { bodyHash, attemptId: '' }, now)
      return outcome.outcome === 'begun' ? { outcome: 'free' } : outcome
    },
    async finish({ key, attemptId }, response) {
      const found = kept.get(nameOf(key))
      if (found === undefined || found.attemptId !== attemptId) return 'lost'
      kept.set(nameOf(key), { ...found, response })
      return 'kept'
    },
    async abandon({ key, attemptId }) {
      const found = kept.get(nameOf(key))
      if (found?.attemptId === attemptId && found.response === undefined) kept.delete(nameOf(key))
    },
  }
}

const BEGUN: BeginOutcome = { outcome: 'begun' }

const nameOf = ({ callerId, keyHash }: IdempotencyKey): string => `${callerId}#${keyHash}`

const outcomeOf = (
  found: KeptAttempt,
  { bodyHash, attemptId }: Pick<Beginning, 'bodyHash' | 'attemptId'>,
  now: bigint,
): BeginOutcome => {
  if (found.expiresAt <= now) return BEGUN
  if (found.bodyHash !== bodyHash) return { outcome: 'other_body' }
  if (found.response !== undefined) return { outcome: 'finished', response: found.response }
  return found.attemptId === attemptId || found.pendingUntil <= now ? BEGUN : { outcome: 'pending' }
}

interface KeptReservation {
  readonly reservation: StoredReservation
  readonly ended?: Pick<Closing, 'as' | 'closedBy'>
}

const KEPT_NS = KEPT_AFTER_EXPIRY_SECONDS * 1_000_000_000n

/** A reservation store in memory. */
export const createMemoryReservationStore = (): ReservationStore => {
  const kept = new Map<string, KeptReservation>()
  return {
    async put(reservation) {
      removeExpired(kept, (each) => each.reservation.expiresAt + KEPT_NS <= reservation.createdAt)
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
      return { outcome: 'open', expiresAt: latest, charges: reservation.charges }
    },
  }
}

/** The ids of responses in memory. */
export const createMemoryResponseStore = (): ResponseStore => {
  const kept = new Map<string, KeptModelResponse>()
  return {
    async keep(response) {
      kept.set(`${response.entityId}#${response.id}`, response)
    },
    async tokensOf(entityId, id, now) {
      const response = kept.get(`${entityId}#${id}`)
      return response !== undefined && response.expiresAt > now ? response.tokens : undefined
    },
  }
}
