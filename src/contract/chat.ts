import * as v from 'valibot'
import { acceptedByHand, openObject } from './containers.ts'
import {
  content,
  integerBetween,
  MAX_MESSAGES,
  MAX_TOKENS,
  maxTokens,
  messageList,
  modelName,
  numberBetween,
  sessionName,
  stopTexts,
  streamFlag,
  streamOptions,
  toolList,
} from './model-fields.ts'
import { createUsualChat } from './usual-bodies.ts'

// As OpenAI bounds them: https://platform.openai.com/docs/api-reference/chat/create
const MAX_CHOICES = 128

const message = openObject({
  role: v.pipe(v.string(), v.nonEmpty('not be empty')),
  content: v.nullish(content),
  name: v.optional(v.string()),
})

export const chatSchema = openObject({
  model: modelName,
  messages: messageList(message),
  max_tokens: maxTokens,
  max_completion_tokens: maxTokens,
  n: integerBetween(1, MAX_CHOICES),
  stream: streamFlag,
  stream_options: streamOptions,
  temperature: numberBetween(0, 2),
  top_p: numberBetween(0, 1),
  stop: stopTexts,
  tools: toolList,
  user: v.nullish(v.string()),
  session: sessionName,
})

/** An OpenAI chat request. Messages of issues complete "<field> must …". */
export const chatRequestBody = acceptedByHand(
  chatSchema,
  createUsualChat({ mostMessages: MAX_MESSAGES, mostTokens: MAX_TOKENS }),
)

/** Usage as chat and completions report it. */
export const completionUsageBody = v.object({
  prompt_tokens: v.number(),
  completion_tokens: v.number(),
  total_tokens: v.number(),
})

/** A whole response, for the OpenAPI document only: the backend creates responses. */
export const chatCompletionResponse = v.pipe(
  v.looseObject({
    id: v.string(),
    object: v.literal('chat.completion'),
    created: v.number(),
    model: v.string(),
    choices: v.array(
      v.looseObject({
        index: v.number(),
        message: v.looseObject({ role: v.literal('assistant'), content: v.nullable(v.string()) }),
        finish_reason: v.string(),
      }),
    ),
    usage: completionUsageBody,
    node_id: v.nullish(v.string()),
  }),
  v.metadata({ ref: 'ChatCompletion' }),
)
