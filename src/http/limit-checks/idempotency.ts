import { StoreUnavailable, ZaelError } from '../../core/model/errors.ts'
import { DAY_NS, MINUTE_NS } from '../../core/model/time.ts'
import type { Attempt, IdempotencyStore, KeptResponse } from '../../core/ports/idempotency-store.ts'
import type { AppDependencies } from '../app-dependencies.ts'
import { confirm, type DecidedCheck, undo } from './decide-check.ts'

/** How long a response is kept. */
const KEPT_NS = DAY_NS

/**
 * How long an attempt blocks its key. Every call of the store has a deadline well below a second, so an attempt that is still
 * pending after this has failed, and may have charged. Its key must not be blocked for a day: the next attempt charges again,
 * which errs towards denying.
 */
const PENDING_NS = MINUTE_NS

/** A request with an idempotency key. */
export interface KeyedRequest {
  readonly callerId: string
  readonly key: string
  /** Equal for equal requests. */
  readonly body: string
  /** The field that contains the key, for errors. */
  readonly field: string
}

/** A key that this request has claimed, or the kept response of an earlier request. */
export type Claim = (Attempt & { readonly field: string }) | { readonly kept: KeptResponse }

/** Processes requests with an idempotency key once. All methods throw `StoreUnavailable`. */
export interface Idempotency {
  /** Throws `ZaelError('conflict')` if the key belongs to another body, or its request is in progress. Charges nothing. */
  claim(request: KeyedRequest): Promise<Claim>
  /** The kept response of the key, by a read only; undefined if the key is free. Throws as `claim`. */
  find(request: KeyedRequest): Promise<Claim | undefined>
  /** The kept response, or that of `check`: kept if it is allowed; else, and after an error, the key is free again. */
  respond(claim: Claim, check: () => Promise<DecidedCheck>): Promise<KeptResponse>
  /** Frees the key, if the store is available. */
  drop(claim: Claim): Promise<void>
}

export const createIdempotency = (
  needs: Pick<AppDependencies, 'idempotency' | 'clock' | 'secrets'>,
): Idempotency => {
  const store = needs.idempotency
  const drop = async (claim: Claim): Promise<void> => {
    if (!('kept' in claim)) await store.abandon(claim).catch(ignoreUnavailable)
  }
  return {
    drop,
    async claim({ callerId, key, body, field }) {
      const { hash, id } = needs.secrets
      const attempt: Attempt = {
        key: { callerId, keyHash: hash(key) },
        bodyHash: hash(body),
        attemptId: id(),
      }
      const now = needs.clock.now()
      const times = { now, pendingUntil: now + PENDING_NS, expiresAt: now + KEPT_NS }
      const begun = await store.begin({ ...attempt, ...times }).catch(async (error: unknown) => {
        await drop({ ...attempt, field })
        throw error
      })
      if (begun.outcome === 'finished') return { kept: begun.response }
      if (begun.outcome !== 'begun') throw conflict(field, CONFLICTS[begun.outcome])
      return { ...attempt, field }
    },
    async find({ callerId, key, body, field }) {
      const { hash } = needs.secrets
      const at = { key: { callerId, keyHash: hash(key) }, bodyHash: hash(body), now: needs.clock.now() }
      const found = await store.find(at)
      if (found.outcome === 'free') return undefined
      if (found.outcome === 'finished') return { kept: found.response }
      throw conflict(field, CONFLICTS[found.outcome])
    },
    async respond(claim, check) {
      if ('kept' in claim) return claim.kept
      const checked = await check().catch(async (error: unknown) => {
        await drop(claim)
        throw error
      })
      if (checked.response.status !== 200) await drop(claim)
      else await keep(store, claim, checked)
      return checked.response
    },
  }
}

const CONFLICTS = {
  pending: 'the same request is in progress; try again in a moment',
  other_body: 'it belongs to another request',
} as const

const conflict = (field: string, why: string): ZaelError =>
  new ZaelError('conflict', `${field} is in use: ${why}`, { field })

/**
 * Keeps the response. If another attempt has taken over, or the response was certainly not kept, the charge is undone and the
 * response is not sent, so that a retry is charged once. If the response may have been kept, it is sent, as a retry may
 * receive it.
 */
const keep = async (
  store: IdempotencyStore,
  claim: Attempt & { readonly field: string },
  checked: DecidedCheck,
): Promise<void> => {
  const outcome = await finishSurely(store, claim, checked.response).catch(async (error: unknown) => {
    if (error instanceof StoreUnavailable && error.mayHaveApplied) return 'unknown'
    await undo(checked)
    await store.abandon(claim).catch(ignoreUnavailable)
    throw error
  })
  if (outcome === 'lost') {
    await undo(checked)
    throw conflict(claim.field, CONFLICTS.pending)
  }
  await confirm(checked)
}

/** Repeats `finish` once if its response was lost: the store recognizes the attempt. */
const finishSurely = async (store: IdempotencyStore, attempt: Attempt, response: KeptResponse) => {
  try {
    return await store.finish(attempt, response)
  } catch (error) {
    if (!(error instanceof StoreUnavailable) || !error.mayHaveApplied) throw error
    // if this one is rejected, the first may still have been applied
    return store.finish(attempt, response).catch(() => Promise.reject(error))
  }
}

const ignoreUnavailable = (error: unknown): void => {
  if (!(error instanceof StoreUnavailable)) throw error
}
