import { Hono } from 'hono'
import { resolver } from 'hono-openapi'
import { chatCompletionResponse, chatRequestBody } from '../../contract/chat.ts'
import { openAiDenialResponse, openAiErrorResponse } from '../../contract/errors.ts'
import type { AppEnv, HttpSettings } from '../app-dependencies.ts'
import { jsonBody } from '../body/validated.ts'
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

/** OpenAI's API, to be mounted at `/v1` behind the guard that sets `acting`. */
export const createChatRoutes = (
  deps: ChatRoutesNeeds,
  models: ModelLookup = createModelLookup(deps),
): Hono<AppEnv> => {
  const answer = createChatCompletion(deps)
  const app = new Hono<AppEnv>()
  app.post('/chat/completions', describeChat, jsonBody(chatRequestBody), async (c) => {
    const body = c.req.valid('json')
    const acting = c.get('acting')
    const wanted = body.model ?? (c.req.header('x-preferred-model') || deps.settings.defaultModel)
    const model = await usableModel(models, wanted, acting.entity)
    return answer({
      acting,
      request: { ...body, model: model.id },
      model,
      user: body.user || c.req.header('x-user-id') || undefined,
      requestId: c.get('requestId'),
      responseContext: c.get('responseContext'),
      signal: () => c.req.raw.signal,
    })
  })
  return app.route('/', createModelRoutes(deps, models))
}

const describeChat = describeOperation({
  tags: ['Chat'],
  summary: 'Answer a chat',
  description:
    "OpenAI's request and answer. The prompt's tokens and the most that may be answered are charged first; the real use is settled afterwards. With `stream: true` the answer is a stream of server-sent events.",
  parameters: [
    {
      in: 'header',
      name: 'X-Preferred-Model',
      description: 'The model, where the body names none',
      schema: { type: 'string' },
    },
    {
      in: 'header',
      name: 'X-User-Id',
      description: 'Who asks, where the body has no `user`: for policies on a user and a model',
      schema: { type: 'string' },
    },
  ],
  responses: {
    200: {
      description: 'The answer; with `stream: true` chunks of it, then `[DONE]`',
      content: {
        'application/json': { schema: resolver(chatCompletionResponse) },
        'text/event-stream': { schema: { type: 'string' } },
      },
    },
    400: jsonResponse('The request names a field that is not what it must be', openAiErrorResponse),
    401: jsonResponse('No key, or one that is not known', openAiErrorResponse),
    403: jsonResponse('You may not use this model', openAiErrorResponse),
    404: jsonResponse('There is no such model', openAiErrorResponse),
    429: jsonResponse('A limit is reached', openAiDenialResponse),
    503: jsonResponse('The store is away, and a limit says deny', openAiErrorResponse),
  },
})
