import * as v from 'valibot'

/** Deeper JSON could not be written out again by every engine. */
const MAX_DEPTH = 100
/** Far above any model's window; keeps sums whole. */
const MAX_TOKENS = 1_000_000_000
/** As OpenAI bounds it. */
const MAX_CHOICES = 128

const tokens = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MAX_TOKENS))
const between = (least: number, most: number) => v.pipe(v.number(), v.minValue(least), v.maxValue(most))

/** Whether `value` nests at most `MAX_DEPTH` arrays and objects. Level by level: a recursion could be made to overflow. */
const isShallow = (value: unknown): boolean => {
  let level: readonly unknown[] = [value]
  for (let depth = 0; depth <= MAX_DEPTH; depth++) {
    level = level.flatMap((each) => (typeof each === 'object' && each !== null ? Object.values(each) : []))
    if (level.length === 0) return true
  }
  return false
}

const message = v.looseObject({
  role: v.pipe(v.string(), v.nonEmpty('not be empty')),
  content: v.nullish(
    v.union([v.string(), v.array(v.looseObject({ type: v.string() }))], 'be a string or a list of parts'),
  ),
  name: v.optional(v.string()),
})

/** An OpenAI chat request. Messages of issues complete "<field> must …". */
export const chatRequestSchema = v.pipe(
  v.looseObject({
    model: v.nullish(v.pipe(v.string(), v.nonEmpty('not be empty'))),
    messages: v.pipe(v.array(message), v.nonEmpty('hold at least one message')),
    max_tokens: v.nullish(tokens),
    max_completion_tokens: v.nullish(tokens),
    n: v.nullish(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MAX_CHOICES))),
    stream: v.nullish(v.boolean()),
    stream_options: v.nullish(v.looseObject({ include_usage: v.nullish(v.boolean()) })),
    temperature: v.nullish(between(0, 2)),
    top_p: v.nullish(between(0, 1)),
    stop: v.nullish(v.union([v.string(), v.array(v.string())], 'be a string or a list of strings')),
    tools: v.nullish(v.array(v.looseObject({}))),
    user: v.nullish(v.string()),
  }),
  v.check((body) => isShallow(body), `nest at most ${MAX_DEPTH} levels deep`),
)

const usageSchema = v.object({
  prompt_tokens: v.number(),
  completion_tokens: v.number(),
  total_tokens: v.number(),
})

/** A whole answer, for the API's description: answers themselves are the backend's. */
export const chatCompletionSchema = v.pipe(
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
    usage: usageSchema,
    node_id: v.nullish(v.string()),
  }),
  v.metadata({ ref: 'ChatCompletion' }),
)

export const modelSchema = v.pipe(
  v.object({
    id: v.string(),
    object: v.literal('model'),
    created: v.number(),
    owned_by: v.string(),
  }),
  v.metadata({ ref: 'OpenAiModel' }),
)

export const modelListSchema = v.object({ object: v.literal('list'), data: v.array(modelSchema) })

const error = v.object({
  message: v.string(),
  type: v.string(),
  param: v.nullable(v.string()),
  code: v.string(),
})

export const openAiErrorSchema = v.pipe(
  v.looseObject({ error, message: v.string() }),
  v.metadata({ ref: 'OpenAiError' }),
)

export const openAiDenialSchema = v.pipe(
  v.looseObject({
    error,
    message: v.string(),
    retry_after_seconds: v.nullable(v.number()),
    violations: v.array(
      v.object({
        limit_name: v.string(),
        entity_id: v.string(),
        resource: v.string(),
        available: v.number(),
        requested: v.number(),
        capacity: v.number(),
        retry_after_seconds: v.nullable(v.number()),
      }),
    ),
  }),
  v.metadata({ ref: 'OpenAiDenial' }),
)
