import * as v from 'valibot'

export const errorResponse = v.pipe(
  v.object({ error: v.string(), message: v.string(), field: v.exactOptional(v.string()) }),
  v.metadata({ ref: 'Error' }),
)

export const wait = v.pipe(
  v.nullable(v.number()),
  v.description('0: the request can pass now; null: it can never pass'),
)

export const violation = v.pipe(
  v.object({
    limit_name: v.string(),
    entity_id: v.string(),
    resource: v.string(),
    available: v.number(),
    requested: v.number(),
    capacity: v.number(),
    retry_after_seconds: wait,
  }),
  v.metadata({ ref: 'Violation' }),
)

export const openAiError = v.pipe(
  v.object({
    message: v.string(),
    type: v.string(),
    param: v.nullable(v.string()),
    code: v.string(),
  }),
  v.metadata({ ref: 'ErrorDetails' }),
)

export const openAiErrorResponse = v.pipe(
  v.looseObject({ error: openAiError, message: v.string() }),
  v.metadata({ ref: 'OpenAiError' }),
)

export const openAiDenialResponse = v.pipe(
  v.looseObject({
    error: openAiError,
    message: v.string(),
    retry_after_seconds: wait,
    violations: v.array(violation),
  }),
  v.metadata({ ref: 'OpenAiDenial' }),
)

const anthropicError = {
  type: v.literal('error'),
  error: v.object({ type: v.string(), message: v.string() }),
  request_id: v.string(),
}

export const anthropicErrorResponse = v.pipe(
  v.looseObject(anthropicError),
  v.metadata({ ref: 'AnthropicError' }),
)

export const anthropicDenialResponse = v.pipe(
  v.looseObject({
    ...anthropicError,
    message: v.string(),
    retry_after_seconds: wait,
    violations: v.array(violation),
  }),
  v.metadata({ ref: 'AnthropicDenial' }),
)
