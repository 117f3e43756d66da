import { Hono } from 'hono'
import { resolver } from 'hono-openapi'
import type * as v from 'valibot'
import { chatCompletionResponse, chatRequestBody } from '../../contract/chat.ts'
import { openAiDenialResponse, openAiErrorResponse } from '../../contract/errors.ts'
import type { ChatRequest } from '../../core/ports/chat-backend.ts'
import type { AppEnv, HttpSettings } from '../app-dependencies.ts'
import { jsonBody, objectOf } from '../body/validated.ts'
import { type HotHandler, type HotRoute, respondHot } from '../hot-route.ts'
import {
  createModelLookup,
  type ModelLookup,
  type ModelLookupNeeds,
  usableModel,
} from '../models/model-lookup.ts'
import { createModelRoutes, type ModelRoutesNeeds } from '../models/openai-models.ts'
import { describeOperation, jsonResponse } from '../openapi/described.ts'
import { type ChatNeeds, createChatCompletion } from './completion.ts'

/** The part of `AppDependencies` that chats need. */
export type ChatRoutesNeeds = ChatNeeds &
  ModelLookupNeeds &
  ModelRoutesNeeds & { readonly settings: Pick<HttpSettings, 'defaultModel'> }

type ChatBody = v.InferOutput<typeof chatRequestBody>

/** `POST /v1/chat/completions`. */
export const createChatHandler = (deps: ChatRoutesNeeds, models: ModelLookup): HotHandler<ChatBody> => {
  const complete = createChatCompletion(deps)
  return async (body, { acting, requestId, header, signal }) => {
    const wanted = body.model ?? (header('x-preferred-model') || deps.settings.defaultModel)
    const model = await usableModel(models, wanted, acting.entity)
    return complete({
      acting,
      request: requestOn(body, model.id),
      model,
      user: body.user || header('x-user-id') || undefined,
      requestId,
      signal,
    })
  }
}

/** The body with the model's id, which most bodies contain already. */
const requestOn = (body: ChatBody, modelId: string): ChatRequest =>
  names(body, modelId) ? body : { ...body, model: modelId }

const names = (body: ChatBody, modelId: string): body is ChatBody & { readonly model: string } =>
  body.model === modelId

/** The same without Hono. */
export const hotChatRoute = (handler: HotHandler<ChatBody>): HotRoute => {
  const parse = objectOf(chatRequestBody)
  return {
    path: '/v1/chat/completions',
    respond: (body, request) => handler(parse(body), request),
  }
}

/** OpenAI's API, to be mounted at `/v1` behind the guard that sets `acting`. */
export const createChatRoutes = (
  deps: ChatRoutesNeeds,
  models: ModelLookup = createModelLookup(deps),
  handler: HotHandler<ChatBody> = createChatHandler(deps, models),
): Hono<AppEnv> =>
  new Hono<AppEnv>()
    .post('/chat/completions', describeChat, jsonBody(chatRequestBody), (c) =>
      respondHot(c, handler, c.req.valid('json')),
    )
    .route('/', createModelRoutes(deps, models))

const describeChat = describeOperation({
  tags: ['Chat'],
  summary: 'Create a chat completion',
  description:
    "OpenAI's request and response. The prompt's tokens and the most completion tokens are charged first; the actual usage is settled afterwards. With `stream: true` the response is a stream of server-sent events.",
  parameters: [
    {
      in: 'header',
      name: 'X-Preferred-Model',
      description: 'The model, if the body contains none',
      schema: { type: 'string' },
    },
    {
      in: 'header',
      name: 'X-User-Id',
      description: 'The user, if the body has no `user`: selects policies on a user and a model',
      schema: { type: 'string' },
    },
  ],
  responses: {
    200: {
      description: 'The completion; with `stream: true` its chunks, then `[DONE]`',
      content: {
        'application/json': { schema: resolver(chatCompletionResponse) },
        'text/event-stream': { schema: { type: 'string' } },
      },
    },
    400: jsonResponse('A field is not valid', openAiErrorResponse),
    401: jsonResponse('The key is missing or not valid', openAiErrorResponse),
    403: jsonResponse('You may not use this model', openAiErrorResponse),
    404: jsonResponse('The model does not exist', openAiErrorResponse),
    429: jsonResponse('A limit denied the request', openAiDenialResponse),
    503: jsonResponse(
      'The store is unavailable, and a limit has `on_unavailable: deny`',
      openAiErrorResponse,
    ),
  },
})
