import * as v from 'valibot'
import { completionUsageBody } from './chat.ts'
import { openObject } from './containers.ts'
import {
  integerBetween,
  maxTokens,
  modelName,
  numberBetween,
  sessionName,
  stopTexts,
  streamFlag,
  streamOptions,
  texts,
} from './model-fields.ts'

// As OpenAI bounds them: https://platform.openai.com/docs/api-reference/completions/create
const [MAX_CHOICES, MAX_BEST_OF] = [128, 20]

/** A request for legacy completions. */
export const completionRequestBody = openObject({
  model: modelName,
  prompt: texts,
  max_tokens: maxTokens,
  n: integerBetween(1, MAX_CHOICES),
  best_of: integerBetween(1, MAX_BEST_OF),
  stream: streamFlag,
  stream_options: streamOptions,
  suffix: v.nullish(v.string()),
  echo: v.nullish(v.boolean()),
  temperature: numberBetween(0, 2),
  top_p: numberBetween(0, 1),
  stop: stopTexts,
  user: v.nullish(v.string()),
  session: sessionName,
})

/** A whole response, for the OpenAPI document only. */
export const completionResponse = v.pipe(
  v.looseObject({
    id: v.string(),
    object: v.literal('text_completion'),
    created: v.number(),
    model: v.string(),
    choices: v.array(v.looseObject({ index: v.number(), text: v.string(), finish_reason: v.string() })),
    usage: completionUsageBody,
  }),
  v.metadata({ ref: 'Completion' }),
)
