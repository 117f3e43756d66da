import type {
  Beginning,
  BeginOutcome,
  IdempotencyKey,
  IdempotencyStore,
  RememberedAnswer,
} from '../../core/ports/idempotency-store.ts'
import { dropOldest } from './drop-oldest.ts'

interface Kept extends Pick<Beginning, 'bodyHash' | 'attemptId' | 'pendingUntil' | 'expiresAt'> {
  readonly answer?: RememberedAnswer
}

/** Answers to repeated requests without an engine: for tests, and a single process that may forget. */
export const createMemoryIdempotencyStore = (): IdempotencyStore => {
  const kept = new Map<string, Kept>()
  return {
    async begin({ key, now, ...beginning }) {
      dropOldest(kept, ({ expiresAt }) => expiresAt <= now)
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
    async finish({ key, attemptId }, answer) {
      const found = kept.get(nameOf(key))
      if (found === undefined || found.attemptId !== attemptId) return 'lost'
      kept.set(nameOf(key), { ...found, answer })
      return 'kept'
    },
    async abandon({ key, attemptId }) {
      const found = kept.get(nameOf(key))
      if (found?.attemptId === attemptId && found.answer === undefined) kept.delete(nameOf(key))
    },
  }
}

const BEGUN: BeginOutcome = { outcome: 'begun' }

const nameOf = ({ callerId, keyHash }: IdempotencyKey): string => `${callerId}#${keyHash}`

const outcomeOf = (
  found: Kept,
  { bodyHash, attemptId }: Pick<Beginning, 'bodyHash' | 'attemptId'>,
  now: bigint,
): BeginOutcome => {
  if (found.expiresAt <= now) return BEGUN
  if (found.bodyHash !== bodyHash) return { outcome: 'other_body' }
  if (found.answer !== undefined) return { outcome: 'answered', answer: found.answer }
  return found.attemptId === attemptId || found.pendingUntil <= now ? BEGUN : { outcome: 'pending' }
}
