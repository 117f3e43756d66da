import type { JsonValue } from '../model/json.ts'

/** A stored response, returned again for the same request with the same key. */
export interface KeptResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: JsonValue
}

/** The key's owner, and its SHA-256 (lower-case hexadecimal). */
export interface IdempotencyKey {
  readonly callerId: string
  readonly keyHash: string
}

/** One attempt to process a request with an idempotency key. */
export interface Attempt {
  readonly key: IdempotencyKey
  /** SHA-256 of the request's body. */
  readonly bodyHash: string
  /** Unique to this attempt: `begin` repeated with the same id, as its response was lost, returns the same outcome. */
  readonly attemptId: string
}

export interface Beginning extends Attempt {
  /** ns since the epoch */
  readonly now: bigint
  /** ns since the epoch: until then no other attempt may begin. */
  readonly pendingUntil: bigint
  /** ns since the epoch: from then on the key is free. */
  readonly expiresAt: bigint
}

/**
 * begun: this attempt is to process the request. finished: the same request has a stored response. pending: another attempt
 * at the same request is in progress. other_body: the key belongs to another request.
 */
export type BeginOutcome =
  | { readonly outcome: 'begun' }
  | { readonly outcome: 'finished'; readonly response: KeptResponse }
  | { readonly outcome: 'pending' }
  | { readonly outcome: 'other_body' }

export type FindOutcome = Exclude<BeginOutcome, { readonly outcome: 'begun' }> | { readonly outcome: 'free' }

/** Stores the responses to requests with an idempotency key. Every adapter passes `test/store/idempotency-store-suite.ts`. */
export interface IdempotencyStore {
  /**
   * Puts a pending record by one conditional write: if there is no record, if it has expired, or if it has been pending on
   * the same body past `pendingUntil`. Throws `StoreUnavailable`.
   */
  begin(beginning: Beginning): Promise<BeginOutcome>
  /**
   * The outcome that `begin` would have, by a strongly consistent read without a write; free: it would begin.
   * Throws `StoreUnavailable`.
   */
  find(at: Pick<Beginning, 'key' | 'bodyHash' | 'now'>): Promise<FindOutcome>
  /** Stores the response. lost: another attempt has taken over, and nothing was changed. Throws `StoreUnavailable`. */
  finish(attempt: Pick<Attempt, 'key' | 'attemptId'>, response: KeptResponse): Promise<'kept' | 'lost'>
  /** Deletes a pending attempt, so that the key can be used again at once. Throws `StoreUnavailable`. */
  abandon(attempt: Pick<Attempt, 'key' | 'attemptId'>): Promise<void>
}
