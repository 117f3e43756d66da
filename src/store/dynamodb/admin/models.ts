import type { Model, Prices } from '../../../core/model/model.ts'
import type { AdminStore } from '../../../core/ports/admin-store.ts'
import { createItemReader, type ItemReader, type StoredItem, toIsoTime, toItem } from '../attributes.ts'
import { INDEX, INDEXED, idOf, modelKey } from '../table-keys.ts'
import type { TablePage, TableReads } from '../table-reads.ts'
import { present, type TableWrites } from '../table-writes.ts'
import { auditItem } from './audit.ts'

/** The META item of a model, in the index of all models. Null fields are left out. */
const modelItem = (model: Model): StoredItem =>
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

/** Throws an error that names the item if it is unreadable. */
const toModel = (item: StoredItem): Model => {
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

type Models = Pick<AdminStore, 'model' | 'putModel' | 'deleteModel' | 'listModels'>

const PAGE_SIZE = 500

/** Registered models in the table, listed by the index. */
export const createModels = (reads: TableReads, writes: TableWrites): Models => ({
  async model(id) {
    const item = await reads.get(modelKey(id))
    return item === undefined ? undefined : toModel(item)
  },
  async putModel(model, audit) {
    await writes.apply([
      { does: 'put', item: modelItem(model) },
      { does: 'put', item: auditItem(audit) },
    ])
  },
  async deleteModel(id, audit) {
    const failed = await writes.apply<'missing'>([
      { does: 'delete', key: modelKey(id), condition: present, otherwise: 'missing' },
      { does: 'put', item: auditItem(audit) },
    ])
    return failed ?? 'deleted'
  },
  async listModels() {
    const models: Model[] = []
    let page: TablePage | undefined
    do {
      const after = page?.next === undefined ? {} : { after: page.next }
      page = await reads.indexPage(INDEX, INDEXED.models, 'all', { limit: PAGE_SIZE, ...after })
      models.push(...page.items.map(toModel))
    } while (page.next !== undefined)
    return models
  },
})
