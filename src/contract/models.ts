import * as v from 'valibot'
import { LEAST_PRICE, MOST_PRICE, PRICE_RULE } from '../core/model/model.ts'
import { id, nextCursor, seconds, zeroOr } from './fields.ts'

const price = v.pipe(
  zeroOr(LEAST_PRICE, MOST_PRICE, PRICE_RULE),
  v.description('US dollars per million tokens'),
)

const prices = v.strictObject({
  input_per_million: price,
  output_per_million: price,
  cached_input_per_million: v.exactOptional(price),
})

export const modelBody = v.strictObject({
  tier: v.exactOptional(v.nullable(id)),
  prices: v.exactOptional(v.nullable(prices)),
})

export const modelResponse = v.pipe(
  v.object({
    model_id: v.string(),
    tier: v.nullable(v.string()),
    prices: v.nullable(prices),
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
