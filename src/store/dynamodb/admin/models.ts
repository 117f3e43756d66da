import { pricesToJson, tokenWeightsToJson } from '../../../core/model/json.ts'
import { DEFAULT_MAX_OUTPUT_TOKENS, type Model } from '../../../core/model/model.ts'
import type { Prices, TokenPrices, TokenWeights } from '../../../core/model/prices.ts'
import type { ModelUpstream } from '../../../core/model/upstream.ts'
import type { AdminStore } from '../../../core/ports/admin-store.ts'
import { createItemReader, type ItemReader, type StoredItem, toIsoTime, toItem } from '../attributes.ts'
import { INDEXED, idOf, modelKey } from '../table-keys.ts'
import type { TableReads } from '../table-reads.ts'
import type { TableWrites } from '../table-writes.ts'
import { createNamedItems } from './named-items.ts'

/** The META item of a model, in the index of all models. Null fields are left out. */
const modelItem = (model: Model): StoredItem =>
  toItem({
    ...modelKey(model.id),
    GSI1PK: INDEXED.models,
    GSI1SK: model.id,
    ...(model.tier !== null && { tier: model.tier }),
    ...(model.prices !== null && { prices: pricesToJson(model.prices) }),
    ...(model.tokenWeights !== null && { token_weights: tokenWeightsToJson(model.tokenWeights) }),
    ...(model.upstreams.length > 0 && { upstreams: model.upstreams.map(upstreamFields) }),
    max_output_tokens: model.maxOutputTokens,
    created_at: toIsoTime(model.createdAt),
    version: model.version,
  })

const upstreamFields = ({ upstream, model }: ModelUpstream): Record<string, string> => ({
  upstream,
  ...(model !== null && { model }),
})

/** Throws an error that names the item if it is unreadable. */
const toModel = (item: StoredItem): Model => {
  const read = createItemReader(item)
  const prices = read.mapOrNull('prices')
  const weights = read.mapOrNull('token_weights')
  return {
    id: idOf(read.text('PK')),
    tier: read.textOrNull('tier'),
    prices: prices === null ? null : toPrices(prices),
    tokenWeights: weights === null ? null : toTokenWeights(weights),
    upstreams: read.has('upstreams') ? read.maps('upstreams').map(toModelUpstream) : [],
    // absent from items that were written before models had it
    maxOutputTokens: read.numberOrNull('max_output_tokens') ?? DEFAULT_MAX_OUTPUT_TOKENS,
    createdAt: read.time('created_at'),
    // absent from items that were written before they had it
    version: read.has('version') ? read.integer('version') : 0n,
  }
}

const toModelUpstream = (read: ItemReader): ModelUpstream => ({
  upstream: read.text('upstream'),
  model: read.textOrNull('model'),
})

const toPrices = (read: ItemReader): Prices => {
  const tiers = read.mapOrNull('service_tiers')
  const perImage = read.numberOrNull('per_image')
  const perAudioSecond = read.numberOrNull('per_audio_second')
  return {
    ...toTokenPrices(read),
    ...(tiers !== null && { serviceTiers: toServiceTiers(tiers) }),
    ...(perImage !== null && { perImage }),
    ...(perAudioSecond !== null && { perAudioSecond }),
  }
}

const toServiceTiers = (read: ItemReader): NonNullable<Prices['serviceTiers']> => {
  const [flex, priority] = [read.mapOrNull('flex'), read.mapOrNull('priority')]
  return {
    ...(flex !== null && { flex: toTokenPrices(flex) }),
    ...(priority !== null && { priority: toTokenPrices(priority) }),
  }
}

const toTokenPrices = (read: ItemReader): TokenPrices => {
  const cached = read.numberOrNull('cached_input_per_million')
  const written = read.numberOrNull('cache_write_per_million')
  const writtenFor1h = read.numberOrNull('cache_write_1h_per_million')
  const long = read.mapOrNull('long_context')
  return {
    inputPerMillion: read.number('input_per_million'),
    outputPerMillion: read.number('output_per_million'),
    ...(cached !== null && { cachedInputPerMillion: cached }),
    ...(written !== null && { cacheWritePerMillion: written }),
    ...(writtenFor1h !== null && { cacheWrite1hPerMillion: writtenFor1h }),
    ...(long !== null && {
      longContext: {
        aboveTokens: long.number('above_tokens'),
        inputPerMillion: long.number('input_per_million'),
        outputPerMillion: long.number('output_per_million'),
      },
    }),
  }
}

const toTokenWeights = (read: ItemReader): TokenWeights => {
  const [input, output] = [read.numberOrNull('input'), read.numberOrNull('output')]
  const [cachedInput, cacheWrite] = [read.numberOrNull('cached_input'), read.numberOrNull('cache_write')]
  return {
    ...(input !== null && { input }),
    ...(output !== null && { output }),
    ...(cachedInput !== null && { cachedInput }),
    ...(cacheWrite !== null && { cacheWrite }),
  }
}

type Models = Pick<AdminStore, 'model' | 'putModel' | 'deleteModel' | 'listModels'>

/** Registered models in the table, listed by the index. */
export const createModels = (reads: TableReads, writes: TableWrites): Models => {
  const { get, put, remove, list } = createNamedItems(reads, writes, {
    listed: INDEXED.models,
    keyOf: modelKey,
    toItem: modelItem,
    fromItem: toModel,
  })
  return { model: get, putModel: put, deleteModel: remove, listModels: list }
}
