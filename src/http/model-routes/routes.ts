import { Hono } from 'hono'
import { resolver } from 'hono-openapi'
import type * as v from 'valibot'
import { chatCompletionResponse, chatRequestBody } from '../../contract/chat.ts'
import { completionRequestBody, completionResponse } from '../../contract/completions.ts'
import { embeddingRequestBody, embeddingResponse } from '../../contract/embeddings.ts'
import {
  anthropicDenialResponse,
  anthropicErrorResponse,
  openAiDenialResponse,
  openAiErrorResponse,
} from '../../contract/errors.ts'
import {
  countTokensRequestBody,
  countTokensResponse,
  messageRequestBody,
  messageResponse,
} from '../../contract/messages.ts'
import { responseRequestBody, responseResponse } from '../../contract/responses.ts'
import type { JsonObject } from '../../core/model/json.ts'
import type { ModelApi } from '../../core/ports/model-backend.ts'
import { whenReady } from '../../core/ports/when-ready.ts'
import { isAnthropic } from '../../web/model-errors.ts'
import type { AppEnv, HttpSettings } from '../app-dependencies.ts'
import { jsonBody, objectOf } from '../body/validated.ts'
import { type HotHandler, type HotRoute, respondHot } from '../hot-route.ts'
import { type ModelLookup, usableModel } from '../models/model-lookup.ts'
import { describeOperation, jsonResponse } from '../openapi/described.ts'
import { modelRequestNames, NAME_HEADERS, namesOf, withoutSession } from '../request-names.ts'
import { requireExactNames } from './field-names.ts'
import { createModelCall, type ModelCallNeeds } from './model-call.ts'

/** The body of a model route: the fields that zael reads are typed, others pass. */
type ModelBody = { readonly model?: string | null | undefined; readonly [field: string]: unknown }

interface ModelRoute {
  readonly api: ModelApi
  /** Below `/v1`. */
  readonly path: string
  readonly schema: v.GenericSchema<unknown, ModelBody>
  readonly summary: string
  readonly description: string
  /** A whole response. */
  readonly response: v.GenericSchema
}

const STREAMED = 'With `stream: true` the response is a stream of events.'

/** Every route to a model. */
const MODEL_ROUTES: readonly ModelRoute[] = [
  {
    api: 'chat',
    path: '/chat/completions',
    schema: chatRequestBody,
    summary: 'Create a chat completion',
    description: `OpenAI's request and response. ${STREAMED}`,
    response: chatCompletionResponse,
  },
  {
    api: 'completions',
    path: '/completions',
    schema: completionRequestBody,
    summary: 'Create a completion',
    description: `OpenAI's request and response. ${STREAMED}`,
    response: completionResponse,
  },
  {
    api: 'embeddings',
    path: '/embeddings',
    schema: embeddingRequestBody,
    summary: 'Create embeddings',
    description: "OpenAI's request and response.",
    response: embeddingResponse,
  },
  {
    api: 'responses',
    path: '/responses',
    schema: responseRequestBody,
    summary: 'Create a response',
    description: `OpenAI's request and response. ${STREAMED} A response of the last 24 hours can be continued by \`previous_response_id\`, by the same entity.`,
    response: responseResponse,
  },
  {
    api: 'messages',
    path: '/messages',
    schema: messageRequestBody,
    summary: 'Create a message',
    description: `Anthropic's request and response. ${STREAMED}`,
    response: messageResponse,
  },
  {
    api: 'count_tokens',
    path: '/messages/count_tokens',
    schema: countTokensRequestBody,
    summary: 'Count the tokens of a message',
    description: "Anthropic's request and response. Charges one request and no tokens.",
    response: countTokensResponse,
  },
]

export type ModelRoutesNeeds = Omit<ModelCallNeeds, 'settings'> & {
  readonly settings: ModelCallNeeds['settings'] & Pick<HttpSettings, 'defaultModel'>
}

/** A model route on both paths: Hono's, and that of a Node server. */
export interface ServedModelRoute {
  readonly route: ModelRoute
  readonly handler: HotHandler<ModelBody>
}

/** The handlers of all model routes. */
export const createModelHandlers = (
  needs: ModelRoutesNeeds,
  models: ModelLookup,
): readonly ServedModelRoute[] => {
  const call = createModelCall(needs)
  return MODEL_ROUTES.map((route) => ({ route, handler: handlerOf(route, call, { needs, models }) }))
}

const handlerOf = (
  { api }: ModelRoute,
  call: ReturnType<typeof createModelCall>,
  { needs, models }: { readonly needs: ModelRoutesNeeds; readonly models: ModelLookup },
): HotHandler<ModelBody> => {
  const { defaultModel } = needs.settings
  return (body, { acting, requestId, header, signal }) => {
    const sent = jsonOf(body)
    requireExactNames(sent)
    const wanted = body.model ?? (header('x-preferred-model') || defaultModel)
    return whenReady(usableModel(models, wanted, acting.entity), (model) =>
      call({
        api,
        acting,
        body: withoutSession(sent),
        model,
        names: namesOf(acting, modelRequestNames(sent, header)),
        requestId,
        header,
        signal,
      }),
    )
  }
}

/** A route's body is parsed JSON, of which its schema has checked the fields that it names. */
const jsonOf = (body: ModelBody): JsonObject => body as JsonObject

/** The same without Hono. */
export const hotModelRoutes = (served: readonly ServedModelRoute[]): readonly HotRoute[] =>
  served.map(({ route, handler }) => {
    const parse = objectOf(route.schema)
    return { path: `/v1${route.path}`, respond: (body, request) => handler(parse(body), request) }
  })

/** The model routes in Hono, to be mounted at `/v1` behind the guard that sets `acting`. */
export const createModelApp = (served: readonly ServedModelRoute[]): Hono<AppEnv> => {
  const app = new Hono<AppEnv>()
  for (const { route, handler } of served) {
    app.post(route.path, describeModelRoute(route), jsonBody(route.schema), (c) =>
      respondHot(c, handler, c.req.valid('json')),
    )
  }
  return app
}

const describeModelRoute = ({ api, summary, description, response }: ModelRoute) =>
  describeOperation({
    tags: ['Models'],
    summary,
    description: `${description} The prompt's tokens and the most output tokens are charged first; the actual usage is settled afterwards.`,
    parameters: [
      {
        in: 'header',
        name: 'X-Preferred-Model',
        description: 'The model, if the body contains none',
        schema: { type: 'string' },
      },
      ...NAME_HEADERS,
    ],
    responses: {
      200: {
        description: 'The response; with `stream: true` its events',
        content: {
          'application/json': { schema: resolver(response) },
          'text/event-stream': { schema: EVENT },
        },
      },
      ...(isAnthropic(api)
        ? errorsOf(anthropicErrorResponse, anthropicDenialResponse)
        : errorsOf(openAiErrorResponse, openAiDenialResponse)),
    },
  })

/** Of a stream, each event. */
const EVENT = {
  type: 'object' as const,
  properties: { event: { type: 'string' as const }, data: { type: 'string' as const } },
  required: ['data'],
}

const errorsOf = (error: v.GenericSchema, denial: v.GenericSchema) => ({
  400: jsonResponse('A field is not valid', error),
  401: jsonResponse('The key is missing or not valid', error),
  403: jsonResponse('You may not use this model', error),
  404: jsonResponse('The model does not exist, or the upstream has no such route', error),
  429: jsonResponse('A limit denied the request', denial),
  502: jsonResponse('The upstream is unavailable', error),
  503: jsonResponse('The store is unavailable, and a limit has `on_unavailable: deny`', error),
  504: jsonResponse('The upstream did not respond in time', error),
})
