import { Hono } from 'hono'
import { resolver } from 'hono-openapi'
import * as v from 'valibot'
import { allowedResponse, checkBody, checksBody, deniedResponse, MOST_CHECKS } from '../../contract/checks.ts'
import { openAiDenialResponse, openAiErrorResponse } from '../../contract/errors.ts'
import type { ReservationService } from '../../core/admin/reservations.ts'
import { ZaelError } from '../../core/model/errors.ts'
import type { KeptResponse } from '../../core/ports/idempotency-store.ts'
import { type Eventual, whenReady } from '../../core/ports/when-ready.ts'
import { DEGRADED } from '../../web/rate-limit-headers.ts'
import type { ActingIdentity, AppDependencies, AppEnv, HttpSettings } from '../app-dependencies.ts'
import { jsonBodyOrList, objectOrListOf } from '../body/validated.ts'
import { deciderOf, v1UnavailableBody } from '../decisions.ts'
import { type HotHandler, type HotRoute, respondHot } from '../hot-route.ts'
import { type ModelLookup, mayUse, requireMayUse } from '../models/model-lookup.ts'
import { describeOperation, jsonResponse } from '../openapi/described.ts'
import { headerNames, NAME_HEADERS, namesOf } from '../request-names.ts'
import type { BytesReply, JsonReply, Reply } from '../response.ts'
import { parseChecks, type RequestedCheck, type RequestedChecks } from './check-request.ts'
import { createDecideCheck, createForesight, createReplyToCheck } from './decide-check.ts'
import { createIdempotency } from './idempotency.ts'
import { type RunChecksNeeds, runCheck, runChecks } from './run-checks.ts'

export interface LimitCheckRoutesNeeds
  extends Pick<AppDependencies, 'limiter' | 'clock' | 'logger' | 'secrets' | 'idempotency'> {
  readonly settings: Pick<HttpSettings, 'bypassLimiter' | 'errorFormat'>
  readonly reservationService: ReservationService
}

type CheckBody = v.InferOutput<typeof checkBody> | v.InferOutput<typeof checksBody>

/** `POST /v1/limits/check`: one check, or a list of them. */
export const createCheckHandler = (
  needs: LimitCheckRoutesNeeds,
  models: ModelLookup,
): HotHandler<CheckBody> => {
  const decider = deciderOf(needs)
  const needed: RunChecksNeeds = {
    decideCheck: createDecideCheck({ ...needs, decider }),
    replyToCheck: createReplyToCheck({ ...needs, decider }),
    idempotency: createIdempotency(needs),
    chargesNothing: createForesight({ ...needs, decider }),
    errorFormat: needs.settings.errorFormat,
  }
  const run = (acting: ActingIdentity, { isList, requested }: RequestedChecks): Eventual<Reply> => {
    if (isList) return runChecks(needed, acting, requested).then(list)
    const [only] = requested
    if (only === undefined) throw new Error('the parsed request contains no check')
    return whenReady(runCheck(needed, acting, only), (response) =>
      single(response, needs.settings.errorFormat),
    )
  }
  return (body, { acting, header }) => {
    const inHeaders = headerNames(header)
    const checks = parseChecks(body, ({ user = inHeaders.user, session = inHeaders.session }) =>
      namesOf(acting, { user, session }),
    )
    if (checks.requested.every((each) => isAllowedToAll(acting, each))) return run(acting, checks)
    return requireAllAllowed(models, acting, checks.requested).then(() => run(acting, checks))
  }
}

/** The same without Hono. */
export const hotCheckRoute = (handler: HotHandler<CheckBody>): HotRoute => {
  const parse = objectOrListOf(checkBody, checksBody)
  return {
    path: '/v1/limits/check',
    respond: (body, request) => handler(parse(body), request),
  }
}

/** The route in Hono, below `/v1/limits`. */
export const createLimitCheckRoutes = (handler: HotHandler<CheckBody>): Hono<AppEnv> =>
  new Hono<AppEnv>().post('/check', describeCheck, jsonBodyOrList(checkBody, checksBody), (c) =>
    respondHot(c, handler, c.req.valid('json')),
  )

/** Whether no permission is needed: the check has no context, and the entity may use its resource. */
const isAllowedToAll = (
  { entity }: ActingIdentity,
  { check: { context, resource } }: RequestedCheck,
): boolean => context === undefined && (resource === undefined || mayUse(entity, resource))

const requireAllAllowed = async (
  models: ModelLookup,
  acting: ActingIdentity,
  requested: readonly RequestedCheck[],
): Promise<void> => {
  for (const each of requested) if (!isAllowedToAll(acting, each)) await requireAllowed(models, acting, each)
}

/** Throws `forbidden` if a caller sends a context, `ModelRejected` if the resource is a model that they may not use. */
const requireAllowed = async (
  models: ModelLookup,
  { kind, entity }: ActingIdentity,
  { check: { context, resource }, place }: RequestedCheck,
): Promise<void> => {
  if (context !== undefined && kind !== 'admin') {
    const field = `${place}context`
    throw new ZaelError('forbidden', `${field} may be given with the admin token only`, { field })
  }
  await requireMayUse(models, entity, resource)
}

/** The headers of a list contain only whether a part of it was decided without the store. */
const list = (responses: readonly KeptResponse[]): JsonReply => ({
  status: 200,
  headers: responses.some(({ headers }) => DEGRADED in headers) ? { [DEGRADED]: 'true' } : {},
  body: responses.map(({ body }) => body),
})

/** An error has the form of errors in `/v1`. */
const single = (response: JsonReply | BytesReply, format: HttpSettings['errorFormat']): Reply =>
  'bytes' in response || response.status < 500 ? response : { ...response, body: v1UnavailableBody(format) }

const describeCheck = describeOperation({
  tags: ['Limits'],
  summary: 'Check a cost against the limits, and charge it',
  description: `An array instead of the object contains up to ${MOST_CHECKS} independent checks: the response is 200 and a list in that order, each item with the fields of its own response. Invalid input in one is 400 for all, and nothing is charged. A charge that is not reserved is final.`,
  parameters: NAME_HEADERS,
  responses: {
    200: {
      description: 'The check is allowed and charged; or the list of responses',
      content: {
        'application/json': {
          schema: resolver(v.union([allowedResponse, v.array(v.union([allowedResponse, deniedResponse]))])),
        },
      },
    },
    400: jsonResponse('A field is not valid', openAiErrorResponse),
    403: jsonResponse('You may not use this model, or not send a context', openAiErrorResponse),
    409: jsonResponse(
      'The idempotency key belongs to another request, or its request is in progress',
      openAiErrorResponse,
    ),
    429: jsonResponse(
      'A limit denied the check, and nothing is charged; or too many failed authentications from this address',
      v.union([deniedResponse, openAiDenialResponse]),
    ),
    503: jsonResponse(
      'The store is unavailable, and a limit has `on_unavailable: deny`',
      openAiErrorResponse,
    ),
  },
})
