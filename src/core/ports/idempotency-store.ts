import type { JsonValue } from '../model/json.ts'

/** An answer that is given again to whoever asks the same with the same key. */
export interface KeptResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: JsonValue
}

/** Whose key, and its SHA-256 (lower-case hexadecimal). */
export interface IdempotencyKey {
  readonly callerId: string
  readonly keyHash: string
}

/** One try to answer a request under a key. */
export interface Attempt {
  readonly key: IdempotencyKey
  /** SHA-256 of what is asked. */
  readonly bodyHash: string
  /** Unique to this attempt: begun again with the same (as its answer was lost), it is answered as it was at first. */
  readonly attemptId: string
}

export interface Beginning extends Attempt {
  /** ns since the epoch */
  readonly now: bigint
  /** ns since the epoch: until then nobody else may begin the same. */
  readonly pendingUntil: bigint
  /** ns since the epoch: from then on the key is as new. */
  readonly expiresAt: bigint
}

/**
 * begun: it is for this attempt to answer. answered: the same was asked before. pending: another attempt at the same is
 * under way. other_body: the key stands for something else.
 */
export type BeginOutcome =
  | { readonly outcome: 'begun' }
  | { readonly outcome: 'answered'; readonly answer: KeptResponse }
  | { readonly outcome: 'pending' }
  | { readonly outcome: 'other_body' }

export type FindOutcome = Exclude<BeginOutcome, { readonly outcome: 'begun' }> | { readonly outcome: 'free' }

/** Where answers to repeated requests live. Every adapter passes `test/store/idempotency-store-contract.ts`. */
export interface IdempotencyStore {
  /**
   * Puts a pending record by one conditional write: where there is none, where it has expired, or where it is pending on
   * the same body beyond its time. Throws `StoreUnavailable`.
   */
  begin(beginning: Beginning): Promise<BeginOutcome>
  /**
   * What `begin` would meet, by a strongly consistent read and without a write; free: it would begin.
   * Throws `StoreUnavailable`.
   */
  find(at: Pick<Beginning, 'key' | 'bodyHash' | 'now'>): Promise<FindOutcome>
  /** Keeps the answer. lost: another attempt has taken over meanwhile; nothing was changed. Throws `StoreUnavailable`. */
  finish(attempt: Pick<Attempt, 'key' | 'attemptId'>, answer: KeptResponse): Promise<'kept' | 'lost'>
  /** Forgets a pending attempt, so that the key can be used again at once. Throws `StoreUnavailable`. */
  abandon(attempt: Pick<Attempt, 'key' | 'attemptId'>): Promise<void>
}
