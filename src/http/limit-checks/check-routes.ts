import { Hono } from 'hono'
import { resolver } from 'hono-openapi'
import * as v from 'valibot'
import { allowedResponse, checkBody, checksBody, deniedResponse, MOST_CHECKS } from '../../contract/checks.ts'
import { openAiDenialResponse, openAiErrorResponse } from '../../contract/errors.ts'
import type { ReservationService } from '../../core/admin/reservations.ts'
import { ZaelError } from '../../core/model/errors.ts'
import type { RememberedAnswer } from '../../core/ports/idempotency-store.ts'
import { DEGRADED } from '../../web/rate-limit-headers.ts'
import type { ActingIdentity, AppDependencies, AppEnv, HttpSettings } from '../app-dependencies.ts'
import { jsonBodyOrList } from '../body/validated.ts'
import { deciderOf, v1UnavailableBody } from '../decisions.ts'
import { ModelRefused } from '../errors/problem.ts'
import { type ModelLookup, mayUse } from '../models/model-lookup.ts'
import { describe, jsonAnswer } from '../openapi/described.ts'
import { type Answering, answerJson } from '../response.ts'
import { type AnsweringNeeds, answerMany, answerOne } from './answer-checks.ts'
import { type AskedCheck, checksIn } from './check-request.ts'
import { createChecker, createForesight } from './decide-check.ts'
import { createIdempotency } from './idempotency.ts'

export interface CheckRoutesNeeds
  extends Pick<AppDependencies, 'limiter' | 'clock' | 'logger' | 'secrets' | 'idempotency'> {
  readonly settings: Pick<HttpSettings, 'bypassLimiter' | 'errorFormat'>
  readonly reservationService: ReservationService
}

/** Decisions without a chat: one, or a list of them. */
export const createCheckRoutes = (needs: CheckRoutesNeeds, models: ModelLookup): Hono<AppEnv> => {
  const decider = deciderOf(needs)
  const needed: AnsweringNeeds = {
    checker: createChecker({ ...needs, decider }),
    idempotency: createIdempotency(needs),
    chargesNothing: createForesight({ decider }),
    errorFormat: needs.settings.errorFormat,
  }
  return new Hono<AppEnv>().post(
    '/check',
    describeCheck,
    jsonBodyOrList(checkBody, checksBody),
    async (c) => {
      const acting = c.get('acting')
      const { isList, asked } = checksIn(c.req.valid('json'), c.req.header('x-user-id') || undefined)
      for (const each of asked) if (!isPlain(acting, each)) await checkMayAsk(models, acting, each)
      if (isList) {
        return list(c.get('answering'), await answerMany(needed, acting, asked))
      }
      const [only] = asked
      if (only === undefined) throw new Error('a check was lost')
      return single(c.get('answering'), await answerOne(needed, acting, only), needs.settings.errorFormat)
    },
  )
}

/** Whether nobody could be kept from asking it: it names no context, and no resource that is kept from the entity. */
const isPlain = ({ entity }: ActingIdentity, { check: { context, resource } }: AskedCheck): boolean =>
  context === undefined && (resource === undefined || mayUse(entity, resource))

/** Throws `forbidden` where a caller gives a context, `ModelRefused` where the resource is a model that it may not use. */
const checkMayAsk = async (
  models: ModelLookup,
  { kind, entity }: ActingIdentity,
  { check: { context, resource }, place }: AskedCheck,
): Promise<void> => {
  if (context !== undefined && kind !== 'admin') {
    const field = `${place}context`
    throw new ZaelError('forbidden', `${field} may be given with the admin token only`, { field })
  }
  if (resource === undefined || mayUse(entity, resource)) return
  if ((await models.get(resource)) !== undefined) throw new ModelRefused('model_not_allowed', resource)
}

/** Headers speak of one decision; of a list they say only whether a part of it was decided without the store. */
const list = (answering: Answering, answers: readonly RememberedAnswer[]): Response =>
  answerJson(
    answering,
    answers.map(({ body }) => body),
    200,
    answers.some(({ headers }) => DEGRADED in headers) ? { [DEGRADED]: 'true' } : {},
  )

/** What is no denial keeps the shape of errors in `/v1`. */
const single = (
  answering: Answering,
  { status, headers, body }: RememberedAnswer,
  format: HttpSettings['errorFormat'],
): Response => {
  if (status < 500) return answerJson(answering, body, status, headers)
  return answerJson(answering, v1UnavailableBody(format), status, headers)
}

const describeCheck = describe({
  tags: ['Limits'],
  summary: 'Ask whether a cost passes, and charge it',
  description: `An array in place of the object asks up to ${MOST_CHECKS} at once, each on its own: 200, and a list in that order, each with the fields of its own answer. Bad input in one is 400 for all, and nothing is charged. What is not reserved is final.`,
  parameters: [
    {
      in: 'header',
      name: 'X-User-Id',
      description: 'Who uses the key, where a check does not say so',
      schema: { type: 'string' },
    },
  ],
  responses: {
    200: {
      description: 'It passes, and is charged; or the answers to a list',
      content: {
        'application/json': {
          schema: resolver(v.union([allowedResponse, v.array(v.union([allowedResponse, deniedResponse]))])),
        },
      },
    },
    400: jsonAnswer('The request names a field that is not what it must be', openAiErrorResponse),
    403: jsonAnswer('You may not use this model, or not give a context', openAiErrorResponse),
    409: jsonAnswer(
      'The idempotency key stands for another request, or is being answered',
      openAiErrorResponse,
    ),
    429: jsonAnswer(
      'It does not pass, and nothing is charged; or too many failed authentications from this address',
      v.union([deniedResponse, openAiDenialResponse]),
    ),
    503: jsonAnswer('The store is away, and a limit says deny', openAiErrorResponse),
  },
})
