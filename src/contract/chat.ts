import * as v from 'valibot'
import { acceptedByHand, boundedList, checkedByHand, openObject } from './containers.ts'
import { createUsualChat } from './usual-bodies.ts'

/** Far above any model's window; keeps sums whole. */
const MAX_TOKENS = 1_000_000_000

// As OpenAI bounds them: https://platform.openai.com/docs/api-reference/chat/create
const MAX_CHOICES = 128

const MAX_MESSAGES = 2048

/** Larger than OpenAI's bounds (128 and 4), as compatible upstreams may allow more. */
const [MAX_TOOLS, MAX_STOPS] = [1024, 64]

const MAX_PARTS = 2048

const tokens = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MAX_TOKENS))

const between = (least: number, most: number) => v.pipe(v.number(), v.minValue(least), v.maxValue(most))

/** Checked by hand: there may be thousands of parts, and a schema takes fifty times as long for each. */
const content = checkedByHand(
  v.union([v.string(), v.pipe(v.array(v.looseObject({ type: v.string() })), v.maxLength(MAX_PARTS))]),
  (value) => typeof value === 'string' || isPartList(value),
  `be a string or a list of at most ${MAX_PARTS} parts, each with a type`,
)

const isPartList = (value: unknown): boolean =>
  Array.isArray(value) && value.length <= MAX_PARTS && value.every(isPart)

const isPart = (part: unknown): boolean =>
  typeof part === 'object' && part !== null && 'type' in part && typeof part.type === 'string'

const message = openObject({
  role: v.pipe(v.string(), v.nonEmpty('not be empty')),
  content: v.nullish(content),
  name: v.optional(v.string()),
})

const STOP = `be a string or a list of at most ${MAX_STOPS} strings`

export const chatSchema = openObject({
  model: v.nullish(v.pipe(v.string(), v.nonEmpty('not be empty'))),
  messages: boundedList(message, {
    least: 1,
    most: MAX_MESSAGES,
    must: `contain 1 to ${MAX_MESSAGES} messages`,
  }),
  max_tokens: v.nullish(tokens),
  max_completion_tokens: v.nullish(tokens),
  n: v.nullish(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MAX_CHOICES))),
  stream: v.nullish(v.boolean()),
  stream_options: v.nullish(openObject({ include_usage: v.nullish(v.boolean()) })),
  temperature: v.nullish(between(0, 2)),
  top_p: v.nullish(between(0, 1)),
  stop: v.nullish(v.union([v.string(), boundedList(v.string(), { most: MAX_STOPS, must: STOP })], STOP)),
  tools: v.nullish(
    boundedList(openObject({}), { most: MAX_TOOLS, must: `contain at most ${MAX_TOOLS} tools` }),
  ),
  user: v.nullish(v.string()),
})

/** An OpenAI chat request. Messages of issues complete "<field> must …". */
export const chatRequestBody = acceptedByHand(
  chatSchema,
  createUsualChat({ mostMessages: MAX_MESSAGES, mostTokens: MAX_TOKENS }),
)

const usage = v.object({
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
    usage: usage,
    node_id: v.nullish(v.string()),
  }),
  v.metadata({ ref: 'ChatCompletion' }),
)
