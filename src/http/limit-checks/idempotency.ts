import { StoreUnavailable, ZaelError } from '../../core/model/errors.ts'
import { DAY_NS, MINUTE_NS } from '../../core/model/time.ts'
import type { Attempt, IdempotencyStore, KeptResponse } from '../../core/ports/idempotency-store.ts'
import type { AppDependencies } from '../app-dependencies.ts'
import { confirm, type DecidedCheck, undo } from './decide-check.ts'

/** How long the same body gets the same answer. */
const KEPT_NS = DAY_NS

/**
 * How long an attempt keeps others waiting. Every call of the store has a deadline well below a second, so one that has
 * not answered after this has died, and may have charged: its key must not be blocked for a day, so the next one charges
 * anew, which errs towards denying.
 */
const PENDING_NS = MINUTE_NS

/** What a caller asks under a key. */
export interface KeyedRequest {
  readonly callerId: string
  readonly key: string
  /** Reads the same for the same request. */
  readonly body: string
  /** The field that holds the key, for errors. */
  readonly field: string
}

/** A key that is this request's to answer, or the answer that its caller had before. */
export type Claim = (Attempt & { readonly field: string }) | { readonly kept: KeptResponse }

/** Answers requests with an idempotency key once. All methods throw `StoreUnavailable`. */
export interface Idempotency {
  /** Throws `ZaelError('conflict')` where the key stands for another body, or is being answered. Nothing is charged yet. */
  claim(request: KeyedRequest): Promise<Claim>
  /** The answer that the key stands for, by a read alone; undefined where it is free. Throws as `claim`. */
  find(request: KeyedRequest): Promise<Claim | undefined>
  /** The answer had before, or that of `check`: kept where it is allowed, else the key is free again, as after an error. */
  respond(claim: Claim, check: () => Promise<DecidedCheck>): Promise<KeptResponse>
  /** The key is free again, as far as the store can be reached. */
  drop(claim: Claim): Promise<void>
}

export const createIdempotency = (
  needs: Pick<AppDependencies, 'idempotency' | 'clock' | 'secrets'>,
): Idempotency => {
  const store = needs.idempotency
  const drop = async (claim: Claim): Promise<void> => {
    if (!('kept' in claim)) await store.abandon(claim).catch(unlessAway)
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
      if (begun.outcome === 'answered') return { kept: begun.answer }
      if (begun.outcome !== 'begun') throw conflict(field, CONFLICTS[begun.outcome])
      return { ...attempt, field }
    },
    async find({ callerId, key, body, field }) {
      const { hash } = needs.secrets
      const at = { key: { callerId, keyHash: hash(key) }, bodyHash: hash(body), now: needs.clock.now() }
      const found = await store.find(at)
      if (found.outcome === 'free') return undefined
      if (found.outcome === 'answered') return { kept: found.answer }
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
  pending: 'the same request is being answered; try again in a moment',
  other_body: 'it stands for another request',
} as const

const conflict = (field: string, why: string): ZaelError =>
  new ZaelError('conflict', `${field} is in use: ${why}`, { field })

/**
 * Where another attempt has taken over, or the answer is surely not kept, it is given to nobody and nothing stays charged:
 * who asks again is charged once. Where it is not known whether it is kept, the answer stands, as it may be given again.
 */
const keep = async (
  store: IdempotencyStore,
  claim: Attempt & { readonly field: string },
  checked: DecidedCheck,
): Promise<void> => {
  const outcome = await finishSurely(store, claim, checked.response).catch(async (error: unknown) => {
    if (error instanceof StoreUnavailable && error.mayHaveApplied) return 'unknown'
    await undo(checked)
    await store.abandon(claim).catch(unlessAway)
    throw error
  })
  if (outcome === 'lost') {
    await undo(checked)
    throw conflict(claim.field, CONFLICTS.pending)
  }
  await confirm(checked)
}

/** A lost answer is asked for once more; the store knows this attempt again. */
const finishSurely = async (store: IdempotencyStore, attempt: Attempt, response: KeptResponse) => {
  try {
    return await store.finish(attempt, response)
  } catch (error) {
    if (!(error instanceof StoreUnavailable) || !error.mayHaveApplied) throw error
    // where this one is refused, the first may still have been applied
    return store.finish(attempt, response).catch(() => Promise.reject(error))
  }
}

const unlessAway = (error: unknown): void => {
  if (!(error instanceof StoreUnavailable)) throw error
}
