import type { Model } from '../../../core/model/model.ts'
import type { AdminStore } from '../../../core/ports/admin-store.ts'
import { auditItem } from '../items/audit-item.ts'
import { modelItem, toModel } from '../items/model-item.ts'
import type { TablePage, TableReads } from '../table/table-reads.ts'
import { present } from '../table/table-write.ts'
import type { TableWrites } from '../table/table-writes.ts'
import { INDEX, INDEXED, modelKey } from '../table-keys.ts'

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
