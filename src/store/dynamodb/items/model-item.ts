import type { Model, Prices } from '../../../core/model/model.ts'
import { type StoredItem, toItem } from '../attribute-values.ts'
import { INDEXED, idOf, modelKey } from '../table-keys.ts'
import { toIsoTime } from './iso-time.ts'
import { createItemReader, type ItemReader } from './item-reader.ts'

/** A model's META item, in the index of all models. What is null is left out. */
export const modelItem = (model: Model): StoredItem =>
  toItem({
    ...modelKey(model.id),
    GSI1PK: INDEXED.models,
    GSI1SK: model.id,
    ...(model.tier !== null && { tier: model.tier }),
    ...(model.prices !== null && { prices: pricesFields(model.prices) }),
    created_at: toIsoTime(model.createdAt),
  })

const pricesFields = (prices: Prices): Record<string, number> => ({
  input_per_million: prices.inputPerMillion,
  output_per_million: prices.outputPerMillion,
  ...(prices.cachedInputPerMillion !== undefined && {
    cached_input_per_million: prices.cachedInputPerMillion,
  }),
})

/** Throws an error that names the item where it cannot be read. */
export const toModel = (item: StoredItem): Model => {
  const read = createItemReader(item)
  const prices = read.mapOrNull('prices')
  return {
    id: idOf(read.text('PK')),
    tier: read.textOrNull('tier'),
    prices: prices === null ? null : toPrices(prices),
    createdAt: read.time('created_at'),
  }
}

const toPrices = (read: ItemReader): Prices => {
  const cached = read.numberOrNull('cached_input_per_million')
  return {
    inputPerMillion: read.number('input_per_million'),
    outputPerMillion: read.number('output_per_million'),
    ...(cached !== null && { cachedInputPerMillion: cached }),
  }
}
