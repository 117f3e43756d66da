import { StoreUnavailable, ZaelError } from '../../core/model/errors.ts'
import type { RememberedAnswer } from '../../core/ports/idempotency-store.ts'
import { DEGRADED } from '../../web/rate-limit-headers.ts'
import type { ActingIdentity, HttpSettings } from '../app-dependencies.ts'
import { problemOf } from '../errors/problem.ts'
import { type AskedCheck, asksForNothing, type Check } from './check-request.ts'
import { type Checked, type Checker, confirm, failedJson, undo } from './decide-check.ts'
import type { Claim, Idempotency, KeyedRequest } from './idempotency.ts'

export interface AnsweringNeeds {
  readonly checker: Checker
  readonly idempotency: Idempotency
  /** Whether a check is known to charge nothing before it is decided: it asks for nothing, or will be denied. */
  chargesNothing(acting: ActingIdentity, check: Check): boolean
  readonly errorFormat: HttpSettings['errorFormat']
}

interface ClaimedCheck {
  readonly check: Check
  /** undefined: without a key, or not claimed yet */
  readonly claim: Claim | undefined
  /** To be claimed if the check charges something after all. */
  readonly unclaimed?: KeyedRequest
}

/** One check by itself. Throws what stands in its way. */
export const answerOne = async (
  needs: AnsweringNeeds,
  acting: ActingIdentity,
  asked: AskedCheck,
): Promise<RememberedAnswer> =>
  asked.idempotencyKey === undefined
    ? (await needs.checker(acting, asked.check, { canUndo: false })).answer
    : answer(needs, acting, await claimed(needs, acting, asked))

/**
 * Each check of a list by itself, in the order of the list where they share a resource. All keys are claimed before
 * anything is charged: where one cannot be, none is. A check that cannot be decided says so in its place.
 */
export const answerMany = async (
  needs: AnsweringNeeds,
  acting: ActingIdentity,
  asked: readonly AskedCheck[],
): Promise<readonly RememberedAnswer[]> => {
  const claims = await claimAll(needs, acting, asked)
  const lastOn = new Map<string | undefined, Promise<unknown>>()
  return Promise.all(
    claims.map((each) => {
      const { resource } = each.check
      const before = lastOn.get(resource) ?? Promise.resolve()
      const mine = before.then(() =>
        answer(needs, acting, each).catch((error: unknown) => undecided(error, needs.errorFormat)),
      )
      lastOn.set(resource, mine)
      return mine
    }),
  )
}

const claimAll = async (
  needs: AnsweringNeeds,
  acting: ActingIdentity,
  asked: readonly AskedCheck[],
): Promise<readonly ClaimedCheck[]> => {
  const outcomes = await Promise.allSettled(asked.map((each) => claimed(needs, acting, each)))
  const claims = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
  const failed = outcomes.find((outcome) => outcome.status === 'rejected')
  if (failed === undefined) return claims
  await Promise.all(claims.map(({ claim }) => claim && needs.idempotency.drop(claim)))
  throw failed.reason
}

/**
 * Writes a record only for checks that may charge something: others would let a caller fill the table for free. It is written
 * before the decision, so a denial that is not foreseen costs a put and a delete. Written after it, two equal requests at the
 * same time would both charge until one is undone, which can deny either of them, and a process that dies in between would
 * leave a charge that the retry makes again.
 */
const claimed = async (
  { idempotency, chargesNothing }: AnsweringNeeds,
  acting: ActingIdentity,
  { check, idempotencyKey, place }: AskedCheck,
): Promise<ClaimedCheck> => {
  if (idempotencyKey === undefined) return { check, claim: undefined }
  const field = `${place}idempotency_key`
  const body = JSON.stringify(check)
  const request = { callerId: acting.entityId, key: idempotencyKey, body, field }
  if (!chargesNothing(acting, check)) return { check, claim: await idempotency.claim(request) }
  return { check, claim: await idempotency.find(request), unclaimed: request }
}

const answer = async (
  { checker, idempotency }: AnsweringNeeds,
  acting: ActingIdentity,
  { check, claim, unclaimed }: ClaimedCheck,
): Promise<RememberedAnswer> => {
  if (claim) {
    return copyOf(await idempotency.answer(claim, () => checker(acting, check, { canUndo: true })))
  }
  const checked = await checker(acting, check, { canUndo: unclaimed !== undefined })
  return unclaimed ? copyOf(await claimedLate(idempotency, check, checked, unclaimed)) : checked.answer
}

/** Headers are added to a response, and must not be added to the one that the store keeps. */
const copyOf = (kept: RememberedAnswer): RememberedAnswer => ({ ...kept, headers: { ...kept.headers } })

/** Claims the key of a check that was expected to charge nothing, if it was allowed after all. */
const claimedLate = async (
  idempotency: Idempotency,
  check: Check,
  checked: Checked,
  request: KeyedRequest,
): Promise<RememberedAnswer> => {
  if (checked.answer.status !== 200 || asksForNothing(check)) {
    await confirm(checked)
    return checked.answer
  }
  const claim = await idempotency.claim(request).catch(async (error: unknown) => {
    await undo(checked)
    throw error
  })
  if ('remembered' in claim) await undo(checked)
  return idempotency.answer(claim, async () => checked)
}

const undecided = (error: unknown, format: HttpSettings['errorFormat']): RememberedAnswer => {
  if (!(error instanceof StoreUnavailable || error instanceof ZaelError)) throw error
  const problem = problemOf(error)
  const headers = error instanceof StoreUnavailable ? { [DEGRADED]: 'true' } : {}
  return { status: problem.status, headers, body: failedJson(problem, format) }
}
