import * as v from 'valibot'
import { boundedList, openObject } from './containers.ts'
import {
  content,
  integerBetween,
  maxTokens,
  messageList,
  modelName,
  numberBetween,
  sessionName,
  streamFlag,
  toolList,
} from './model-fields.ts'

const [MAX_STOPS, MAX_TOP_K] = [64, 1_000_000]

const prompt = {
  model: modelName,
  messages: messageList(openObject({ role: v.pipe(v.string(), v.nonEmpty('not be empty')), content })),
  system: v.nullish(content),
  tools: toolList,
  session: sessionName,
}

/** A request for a message: https://docs.claude.com/en/api/messages. The model's bound is the default of `max_tokens`. */
export const messageRequestBody = openObject({
  ...prompt,
  max_tokens: maxTokens,
  stream: streamFlag,
  temperature: numberBetween(0, 1),
  top_p: numberBetween(0, 1),
  top_k: integerBetween(0, MAX_TOP_K),
  stop_sequences: v.nullish(
    boundedList(v.string(), { most: MAX_STOPS, must: `contain at most ${MAX_STOPS} strings` }),
  ),
  metadata: v.nullish(openObject({ user_id: v.nullish(v.string()) })),
})

/** A request for the number of a prompt's tokens: https://docs.claude.com/en/api/messages-count-tokens */
export const countTokensRequestBody = openObject(prompt)

/** A whole message, for the OpenAPI document only. */
export const messageResponse = v.pipe(
  v.looseObject({
    id: v.string(),
    type: v.literal('message'),
    role: v.literal('assistant'),
    model: v.string(),
    content: v.array(v.looseObject({ type: v.string() })),
    stop_reason: v.nullable(v.string()),
    usage: v.looseObject({ input_tokens: v.number(), output_tokens: v.number() }),
  }),
  v.metadata({ ref: 'Message' }),
)

/** The number of a prompt's tokens. */
export const countTokensResponse = v.pipe(
  v.looseObject({ input_tokens: v.number() }),
  v.metadata({ ref: 'MessageTokens' }),
)
