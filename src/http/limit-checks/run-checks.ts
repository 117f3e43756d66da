import { StoreUnavailable, ZaelError } from '../../core/model/errors.ts'
import type { KeptResponse } from '../../core/ports/idempotency-store.ts'
import type { Eventual } from '../../core/ports/when-ready.ts'
import { DEGRADED } from '../../web/rate-limit-headers.ts'
import type { ActingIdentity, HttpSettings } from '../app-dependencies.ts'
import { problemOf } from '../errors/problem.ts'
import type { BytesReply, JsonReply } from '../response.ts'
import { hasNoCost, type LimitCheck, type RequestedCheck } from './check-request.ts'
import {
  confirm,
  type DecideCheck,
  type DecidedCheck,
  failedJson,
  type ReplyToCheck,
  undo,
} from './decide-check.ts'
import type { Claim, Idempotency, KeyedRequest } from './idempotency.ts'

export interface RunChecksNeeds {
  readonly decideCheck: DecideCheck
  readonly replyToCheck: ReplyToCheck
  readonly idempotency: Idempotency
  /** Whether a check is expected to charge nothing: it has no cost, or this process has cached its denial. */
  chargesNothing(acting: ActingIdentity, check: LimitCheck): boolean
  readonly errorFormat: HttpSettings['errorFormat']
}

interface ClaimedCheck {
  readonly check: LimitCheck
  /** undefined: without a key, or not claimed yet */
  readonly claim: Claim | undefined
  /** To be claimed if the check charges something after all. */
  readonly unclaimed?: KeyedRequest
}

/** Runs one check. Throws, or rejects, if it cannot be decided. */
export const runCheck = (
  needs: RunChecksNeeds,
  acting: ActingIdentity,
  requested: RequestedCheck,
): Eventual<JsonReply | BytesReply> =>
  requested.idempotencyKey === undefined
    ? needs.replyToCheck(acting, requested.check)
    : claimed(needs, acting, requested).then((claim) => run(needs, acting, claim))

/**
 * Runs the checks of a list independently; those on the same resource in the order of the list. All idempotency keys are claimed
 * before anything is charged: if one cannot be claimed, nothing is charged. A failed check has its error in its place.
 */
export const runChecks = async (
  needs: RunChecksNeeds,
  acting: ActingIdentity,
  requested: readonly RequestedCheck[],
): Promise<readonly KeptResponse[]> => {
  const claims = await claimAll(needs, acting, requested)
  const lastOn = new Map<string | undefined, Promise<unknown>>()
  return Promise.all(
    claims.map((each) => {
      const { resource } = each.check
      const before = lastOn.get(resource) ?? Promise.resolve()
      const mine = before.then(() =>
        run(needs, acting, each).catch((error: unknown) => failedResponse(error, needs.errorFormat)),
      )
      lastOn.set(resource, mine)
      return mine
    }),
  )
}

const claimAll = async (
  needs: RunChecksNeeds,
  acting: ActingIdentity,
  requested: readonly RequestedCheck[],
): Promise<readonly ClaimedCheck[]> => {
  const outcomes = await Promise.allSettled(requested.map((each) => claimed(needs, acting, each)))
  const claims = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
  const failed = outcomes.find((outcome) => outcome.status === 'rejected')
  if (failed === undefined) return claims
  await Promise.all(claims.map(({ claim }) => claim && needs.idempotency.drop(claim)))
  throw failed.reason
}

/**
 * Writes a record only for checks that may charge something: otherwise a caller could fill the table for free. The record is
 * written before the decision, so a denial that was not predicted costs a put and a delete. If it were written afterwards, two
 * equal concurrent requests would both charge until one is undone, which can deny either of them, and after a crash in between
 * the retry would charge again.
 */
const claimed = async (
  { idempotency, chargesNothing }: RunChecksNeeds,
  acting: ActingIdentity,
  { check, idempotencyKey, place }: RequestedCheck,
): Promise<ClaimedCheck> => {
  if (idempotencyKey === undefined) return { check, claim: undefined }
  const field = `${place}idempotency_key`
  const body = JSON.stringify(check)
  const request = { callerId: acting.entityId, key: idempotencyKey, body, field }
  if (!chargesNothing(acting, check)) return { check, claim: await idempotency.claim(request) }
  return { check, claim: await idempotency.find(request), unclaimed: request }
}

const run = async (
  { decideCheck, idempotency }: RunChecksNeeds,
  acting: ActingIdentity,
  { check, claim, unclaimed }: ClaimedCheck,
): Promise<KeptResponse> => {
  if (claim) {
    return copyOf(await idempotency.respond(claim, async () => decideCheck(acting, check, { canUndo: true })))
  }
  const checked = await decideCheck(acting, check, { canUndo: unclaimed !== undefined })
  return unclaimed ? copyOf(await claimedLate(idempotency, check, checked, unclaimed)) : checked.response
}

/** A copy to which headers may be added without changing the stored response. */
const copyOf = (kept: KeptResponse): KeptResponse => ({ ...kept, headers: { ...kept.headers } })

/** Claims the key of a check that was expected to charge nothing, if it was allowed after all. */
const claimedLate = async (
  idempotency: Idempotency,
  check: LimitCheck,
  checked: DecidedCheck,
  request: KeyedRequest,
): Promise<KeptResponse> => {
  if (checked.response.status !== 200 || hasNoCost(check)) {
    await confirm(checked)
    return checked.response
  }
  const claim = await idempotency.claim(request).catch(async (error: unknown) => {
    await undo(checked)
    throw error
  })
  if ('kept' in claim) await undo(checked)
  return idempotency.respond(claim, async () => checked)
}

const failedResponse = (error: unknown, format: HttpSettings['errorFormat']): KeptResponse => {
  if (!(error instanceof StoreUnavailable || error instanceof ZaelError)) throw error
  const problem = problemOf(error)
  const headers = error instanceof StoreUnavailable ? { [DEGRADED]: 'true' } : {}
  return { status: problem.status, headers, body: failedJson(problem, format) }
}
