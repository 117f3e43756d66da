import { invalid, shortened, ZaelError } from '../../core/model/errors.ts'
import type { JsonObject } from '../../core/model/json.ts'
import { DAY_NS } from '../../core/model/time.ts'
import type { ModelUsage } from '../../core/ports/model-backend.ts'
import type { AppDependencies } from '../app-dependencies.ts'

/*
 * `/v1/responses` lets a request continue an earlier response by its id. The upstream then counts the earlier one as prompt, so
 * zael keeps the tokens of each response for a day, and accepts only ids that it kept for the same entity.
 */

type Needs = Pick<AppDependencies, 'responses' | 'clock' | 'logger'>

/** What an upstream would run or read without zael: the tokens of neither are known. */
const STATEFUL: Readonly<Record<string, string>> = {
  background: 'not be true: a response that nobody waits for cannot be charged',
  conversation: 'not be given: its tokens are not known; send the input, or previous_response_id',
  prompt: 'not be given: its tokens are not known; send the instructions and the input',
}

/** Throws `invalid_request` for a body that refers to what only the upstream knows. */
export const requireStateless = (body: JsonObject): void => {
  for (const [field, must] of Object.entries(STATEFUL)) {
    const value = body[field]
    if (value !== undefined && value !== null && value !== false) throw invalid(field, must)
  }
}

/** What an id of an upstream may be; others are not kept. */
const KEPT_ID = /^[\w.:-]{1,200}$/

/** The tokens that a request continues, which count as prompt. Throws `not_found` for an id that zael has not kept. */
export const continuedTokens = async (
  { responses, clock }: Needs,
  entityId: string,
  { previous_response_id: id }: JsonObject,
): Promise<number> => {
  if (id === undefined || id === null) return 0
  if (typeof id !== 'string') throw invalid('previous_response_id', 'be a string')
  const tokens = KEPT_ID.test(id) ? await responses.tokensOf(entityId, id, clock.now()) : undefined
  if (tokens !== undefined) return tokens
  const message = `There is no response ${shortened(id)} of the last 24 hours`
  throw new ZaelError('not_found', message, { field: 'previous_response_id' })
}

/** Keeps a response that may be continued. Never rejects: without it, a request that continues it is 404. */
export const keepResponse = async (
  { responses, clock, logger }: Needs,
  entityId: string,
  body: JsonObject,
  { responseId: id, inputTokens, outputTokens }: ModelUsage,
): Promise<void> => {
  if (id === undefined || body.store === false || !KEPT_ID.test(id)) return
  const kept = { entityId, id, tokens: inputTokens + outputTokens, expiresAt: clock.now() + DAY_NS }
  await responses
    .keep(kept)
    .catch((error: unknown) =>
      logger.warn('response not kept', { entityId, responseId: id, error: String(error) }),
    )
}
