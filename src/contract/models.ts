import * as v from 'valibot'
import {
  DEFAULT_MAX_OUTPUT_TOKENS,
  MAX_OUTPUT_RULE,
  MOST_OUTPUT_TOKENS,
  type ModelDraft,
} from '../core/model/model.ts'
import {
  LEAST_PRICE,
  LEAST_WEIGHT,
  MOST_CONTEXT_TOKENS,
  MOST_PRICE,
  MOST_WEIGHT,
  PRICE_RULE,
  type Prices,
  type TokenPrices,
  type TokenWeights,
  WEIGHT_RULE,
} from '../core/model/prices.ts'
import {
  DEFAULT_UPSTREAM,
  MAX_MODEL_UPSTREAMS,
  UPSTREAM_MODEL_PATTERN,
  UPSTREAM_MODEL_RULE,
  UPSTREAM_NAME_PATTERN,
  UPSTREAM_NAME_RULE,
} from '../core/model/upstream.ts'
import { boundedList, closedObject } from './containers.ts'
import { id, integer, nextCursor, seconds, zeroOr } from './fields.ts'

const dollars = zeroOr(LEAST_PRICE, MOST_PRICE, PRICE_RULE)

const price = v.pipe(dollars, v.description('US dollars per million tokens'))

const tokenPrices = {
  input_per_million: price,
  output_per_million: price,
  cached_input_per_million: v.exactOptional(
    v.pipe(dollars, v.description('Of input that the upstream read from its cache; default: as other input')),
  ),
  cache_write_per_million: v.exactOptional(
    v.pipe(dollars, v.description('Of input that the upstream wrote to its cache; default: as other input')),
  ),
  cache_write_1h_per_million: v.exactOptional(
    v.pipe(
      dollars,
      v.description(
        'Of input that it wrote for an hour, as Anthropic offers; default: as other cache writes',
      ),
    ),
  ),
  long_context: v.exactOptional(
    v.pipe(
      closedObject({
        above_tokens: integer(1, MOST_CONTEXT_TOKENS),
        input_per_million: price,
        output_per_million: price,
      }),
      v.metadata({ ref: 'LongContextPrices' }),
      v.description(
        'The prices of requests with more input than this; those of cached input rise with the price of input',
      ),
    ),
  ),
}

const tierPrices = v.pipe(closedObject(tokenPrices), v.metadata({ ref: 'TierPrices' }))

const prices = v.pipe(
  closedObject({
    ...tokenPrices,
    service_tiers: v.exactOptional(
      v.pipe(
        closedObject({ flex: v.exactOptional(tierPrices), priority: v.exactOptional(tierPrices) }),
        v.metadata({ ref: 'ServiceTiers' }),
        v.description(
          'The prices of requests that the upstream serves in this tier; a tier that is not given has the standard prices',
        ),
      ),
    ),
    per_image: v.exactOptional(
      v.pipe(dollars, v.description('US dollars for each image that a request sends or a response contains')),
    ),
    per_audio_second: v.exactOptional(
      v.pipe(dollars, v.description('US dollars for each second of audio that a request sends')),
    ),
  }),
  v.metadata({ ref: 'Prices' }),
)

const weight = v.exactOptional(zeroOr(LEAST_WEIGHT, MOST_WEIGHT, WEIGHT_RULE))

const tokenWeights = v.pipe(
  closedObject({ input: weight, output: weight, cached_input: weight, cache_write: weight }),
  v.metadata({ ref: 'TokenWeights' }),
  v.description(
    'What each token counts in the meter tokens; default 1. The meters input_tokens and output_tokens count 1 each',
  ),
)

const modelUpstream = v.pipe(
  closedObject({
    upstream: v.pipe(v.string(), v.regex(UPSTREAM_NAME_PATTERN, UPSTREAM_NAME_RULE)),
    model: v.exactOptional(
      v.pipe(
        v.nullable(v.pipe(v.string(), v.regex(UPSTREAM_MODEL_PATTERN, UPSTREAM_MODEL_RULE))),
        v.description("The model's name at the upstream; default: its id"),
      ),
    ),
  }),
  v.metadata({ ref: 'ModelUpstream' }),
)

export const modelBody = closedObject({
  tier: v.exactOptional(v.nullable(id)),
  prices: v.exactOptional(v.nullable(prices)),
  token_weights: v.exactOptional(v.nullable(tokenWeights)),
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
  tokenWeights: body.token_weights ? tokenWeightsOf(body.token_weights) : null,
  ...(body.upstreams !== undefined && {
    upstreams: body.upstreams.map(({ upstream, model = null }) => ({ upstream, model })),
  }),
  ...(body.max_output_tokens !== undefined && { maxOutputTokens: body.max_output_tokens }),
})

const pricesOf = (body: v.InferOutput<typeof prices>): Prices => {
  const { service_tiers: tiers, per_image: perImage, per_audio_second: perAudioSecond } = body
  return {
    ...tokenPricesOf(body),
    ...(tiers !== undefined && {
      serviceTiers: {
        ...(tiers.flex !== undefined && { flex: tokenPricesOf(tiers.flex) }),
        ...(tiers.priority !== undefined && { priority: tokenPricesOf(tiers.priority) }),
      },
    }),
    ...(perImage !== undefined && { perImage }),
    ...(perAudioSecond !== undefined && { perAudioSecond }),
  }
}

const tokenPricesOf = (body: v.InferOutput<typeof tierPrices>): TokenPrices => ({
  inputPerMillion: body.input_per_million,
  outputPerMillion: body.output_per_million,
  ...(body.cached_input_per_million !== undefined && {
    cachedInputPerMillion: body.cached_input_per_million,
  }),
  ...(body.cache_write_per_million !== undefined && {
    cacheWritePerMillion: body.cache_write_per_million,
  }),
  ...(body.cache_write_1h_per_million !== undefined && {
    cacheWrite1hPerMillion: body.cache_write_1h_per_million,
  }),
  ...(body.long_context !== undefined && {
    longContext: {
      aboveTokens: body.long_context.above_tokens,
      inputPerMillion: body.long_context.input_per_million,
      outputPerMillion: body.long_context.output_per_million,
    },
  }),
})

const tokenWeightsOf = (body: v.InferOutput<typeof tokenWeights>): TokenWeights => ({
  ...(body.input !== undefined && { input: body.input }),
  ...(body.output !== undefined && { output: body.output }),
  ...(body.cached_input !== undefined && { cachedInput: body.cached_input }),
  ...(body.cache_write !== undefined && { cacheWrite: body.cache_write }),
})

export const modelResponse = v.pipe(
  v.object({
    model_id: v.string(),
    tier: v.nullable(v.string()),
    prices: v.nullable(prices),
    token_weights: v.nullable(tokenWeights),
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
