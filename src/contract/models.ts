import * as v from 'valibot'
import {
  DEFAULT_MAX_OUTPUT_TOKENS,
  LEAST_PRICE,
  MAX_OUTPUT_RULE,
  MOST_CONTEXT_TOKENS,
  MOST_OUTPUT_TOKENS,
  MOST_PRICE,
  type ModelDraft,
  PRICE_RULE,
  type Prices,
} from '../core/model/model.ts'
import {
  DEFAULT_UPSTREAM,
  MAX_MODEL_UPSTREAMS,
  UPSTREAM_MODEL_PATTERN,
  UPSTREAM_MODEL_RULE,
  UPSTREAM_NAME_PATTERN,
  UPSTREAM_NAME_RULE,
} from '../core/model/upstream.ts'
import { boundedList } from './containers.ts'
import { id, integer, nextCursor, seconds, zeroOr } from './fields.ts'

const price = v.pipe(
  zeroOr(LEAST_PRICE, MOST_PRICE, PRICE_RULE),
  v.description('US dollars per million tokens'),
)

const prices = v.strictObject({
  input_per_million: price,
  output_per_million: price,
  cached_input_per_million: v.exactOptional(price),
  cache_write_per_million: v.exactOptional(price),
  long_context: v.exactOptional(
    v.pipe(
      v.strictObject({
        above_tokens: integer(1, MOST_CONTEXT_TOKENS),
        input_per_million: price,
        output_per_million: price,
      }),
      v.description(
        'The prices of requests with more input than this; those of cached input rise with the price of input',
      ),
    ),
  ),
})

const modelUpstream = v.strictObject({
  upstream: v.pipe(v.string(), v.regex(UPSTREAM_NAME_PATTERN, UPSTREAM_NAME_RULE)),
  model: v.exactOptional(
    v.pipe(
      v.nullable(v.pipe(v.string(), v.regex(UPSTREAM_MODEL_PATTERN, UPSTREAM_MODEL_RULE))),
      v.description("The model's name at the upstream; default: its id"),
    ),
  ),
})

export const modelBody = v.strictObject({
  tier: v.exactOptional(v.nullable(id)),
  prices: v.exactOptional(v.nullable(prices)),
  upstreams: v.exactOptional(
    v.pipe(
      boundedList(modelUpstream, {
        most: MAX_MODEL_UPSTREAMS,
        must: `contain at most ${MAX_MODEL_UPSTREAMS} upstreams`,
      }),
      v.description(`In the order in which they are tried; default: the upstream \`${DEFAULT_UPSTREAM}\``),
    ),
  ),
  max_output_tokens: v.exactOptional(
    v.pipe(
      integer(1, MOST_OUTPUT_TOKENS, MAX_OUTPUT_RULE),
      v.description(
        `The bound of each response if the request names none; default ${DEFAULT_MAX_OUTPUT_TOKENS}`,
      ),
    ),
  ),
})

/** The model that a body describes. */
export const modelDraftOf = (body: v.InferOutput<typeof modelBody>): ModelDraft => ({
  tier: body.tier ?? null,
  prices: body.prices ? pricesOf(body.prices) : null,
  ...(body.upstreams !== undefined && {
    upstreams: body.upstreams.map(({ upstream, model = null }) => ({ upstream, model })),
  }),
  ...(body.max_output_tokens !== undefined && { maxOutputTokens: body.max_output_tokens }),
})

const pricesOf = (body: v.InferOutput<typeof prices>): Prices => ({
  inputPerMillion: body.input_per_million,
  outputPerMillion: body.output_per_million,
  ...(body.cached_input_per_million !== undefined && {
    cachedInputPerMillion: body.cached_input_per_million,
  }),
  ...(body.cache_write_per_million !== undefined && {
    cacheWritePerMillion: body.cache_write_per_million,
  }),
  ...(body.long_context !== undefined && {
    longContext: {
      aboveTokens: body.long_context.above_tokens,
      inputPerMillion: body.long_context.input_per_million,
      outputPerMillion: body.long_context.output_per_million,
    },
  }),
})

export const modelResponse = v.pipe(
  v.object({
    model_id: v.string(),
    tier: v.nullable(v.string()),
    prices: v.nullable(prices),
    upstreams: v.array(
      v.object({
        upstream: v.string(),
        model: v.pipe(v.nullable(v.string()), v.description('null: the id of the model')),
      }),
    ),
    max_output_tokens: v.number(),
    created_at: seconds,
  }),
  v.metadata({ ref: 'Model' }),
)

export const modelsResponse = v.object({ items: v.array(modelResponse), next_cursor: nextCursor })

export const openAiModelResponse = v.pipe(
  v.object({
    id: v.string(),
    object: v.literal('model'),
    created: v.number(),
    owned_by: v.string(),
  }),
  v.metadata({ ref: 'OpenAiModel' }),
)

export const openAiModelsResponse = v.object({
  object: v.literal('list'),
  data: v.array(openAiModelResponse),
})
