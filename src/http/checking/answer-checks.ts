import { StoreUnavailable, ZaelError } from '../../core/errors.ts'
import type { RememberedAnswer } from '../../core/ports/idempotency-store.ts'
import type { ActingIdentity } from '../app-dependencies.ts'
import { problemOf } from '../errors/problem.ts'
import { DEGRADED } from '../headers/rate-limit-headers.ts'
import type { AskedCheck, Check } from './asked-checks.ts'
import { undecidedJson } from './check-json.ts'
import type { Checker } from './decide-check.ts'
import type { Claim, Idempotency } from './idempotency.ts'

export interface AnsweringNeeds {
  readonly checker: Checker
  readonly idempotency: Idempotency
}

interface ClaimedCheck {
  readonly check: Check
  /** undefined: without a key */
  readonly claim: Claim | undefined
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
      const mine = before.then(() => answer(needs, acting, each).catch(undecided))
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

const claimed = async (
  { idempotency }: AnsweringNeeds,
  { entityId }: ActingIdentity,
  { check, idempotencyKey, place }: AskedCheck,
): Promise<ClaimedCheck> => {
  if (idempotencyKey === undefined) return { check, claim: undefined }
  const field = `${place}idempotency_key`
  const body = JSON.stringify(check)
  return { check, claim: await idempotency.claim({ callerId: entityId, key: idempotencyKey, body, field }) }
}

const answer = async (
  { checker, idempotency }: AnsweringNeeds,
  acting: ActingIdentity,
  { check, claim }: ClaimedCheck,
): Promise<RememberedAnswer> => {
  if (claim === undefined) return (await checker(acting, check, { canUndo: false })).answer
  const kept = await idempotency.answer(claim, () => checker(acting, check, { canUndo: true }))
  // what is kept is the store's: the headers of an answer are added to
  return { ...kept, headers: { ...kept.headers } }
}

const undecided = (error: unknown): RememberedAnswer => {
  if (!(error instanceof StoreUnavailable || error instanceof ZaelError)) throw error
  const problem = problemOf(error)
  const headers = error instanceof StoreUnavailable ? { [DEGRADED]: 'true' } : {}
  return { status: problem.status, headers, body: undecidedJson(problem) }
}
