import type { ConfigStore } from '../../core/ports/config-store.ts'
import { createApiKeys } from './admin/api-keys.ts'
import { createEntities } from './admin/entities.ts'
import { createLimitSets } from './admin/limit-sets.ts'
import { createModels } from './admin/models.ts'
import type { DynamoClient } from './client.ts'
import { createTableReads } from './table-reads.ts'
import { createTableWrites } from './table-writes.ts'

/** The configuration that decisions read: no writes, no lists. */
export const createDynamoConfigStore = (client: DynamoClient, tableName: string): ConfigStore => {
  const reads = createTableReads(client, tableName)
  const writes = createTableWrites(client, tableName)
  const { entity, entities } = createEntities(reads, writes)
  const { model } = createModels(reads, writes)
  const { limitSets } = createLimitSets(reads, writes)
  const { apiKey } = createApiKeys(reads, writes)
  return { entity, entities, model, limitSets, apiKey }
}
