import type { AdminStore } from '../../core/ports/admin-store.ts'
import type { ConfigStore } from '../../core/ports/config-store.ts'
import type { Clock } from '../../core/ports/platform.ts'
import { createApiKeys } from './admin/api-keys.ts'
import { createAuditList } from './admin/audit-list.ts'
import { createAuditWriter } from './admin/audit-writer.ts'
import { createEntities } from './admin/entities.ts'
import { createEntityList } from './admin/entity-list.ts'
import { createLimitSets } from './admin/limit-sets.ts'
import { createModels } from './admin/models.ts'
import { createPolicyList } from './admin/policy-list.ts'
import type { DynamoClient } from './client.ts'
import { createTableReads } from './table/table-reads.ts'
import { createTableWrites } from './table/table-writes.ts'

/**
 * What administrators change and list, in the table. A change takes several items, so give it a client whose deadline
 * is longer than that of deciding. `clock` says from which day to list records of changes.
 */
export const createDynamoAdminStore = (client: DynamoClient, tableName: string, clock: Clock): AdminStore => {
  const reads = createTableReads(client, tableName)
  const writes = createTableWrites(client, tableName)
  return {
    ...createEntities(reads, writes),
    listEntities: createEntityList(reads),
    ...createApiKeys(reads, writes),
    ...createModels(reads, writes),
    ...createLimitSets(reads, writes),
    listPolicies: createPolicyList(reads),
    recordAudit: createAuditWriter(writes),
    listAudit: createAuditList(reads, clock),
  }
}

/** What deciding reads, in the table: no writes, no lists. */
export const createDynamoConfigStore = (client: DynamoClient, tableName: string): ConfigStore => {
  const reads = createTableReads(client, tableName)
  const writes = createTableWrites(client, tableName)
  const { entity, entities } = createEntities(reads, writes)
  const { model } = createModels(reads, writes)
  const { limitSets } = createLimitSets(reads, writes)
  const { apiKey } = createApiKeys(reads, writes)
  return { entity, entities, model, limitSets, apiKey }
}
