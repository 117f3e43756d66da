import type { AdminStore } from '../../../core/ports/admin-store.ts'
import type { Clock } from '../../../core/ports/platform.ts'
import type { DynamoClient } from '../client.ts'
import { createTableReads, type TableReads } from '../table-reads.ts'
import { createTableWrites, type TableWrites } from '../table-writes.ts'
import { createAlerts } from './alerts.ts'
import { createApiKeys } from './api-keys.ts'
import { createAuditList, createAuditWriter } from './audit.ts'
import { createDeleteEntity } from './delete-entity.ts'
import { createEntities } from './entities.ts'
import { createEntityList } from './entity-list.ts'
import { createLimitSets, createPolicyList } from './limit-sets.ts'
import { createModels } from './models.ts'
import { createUpstreams } from './upstreams.ts'

/**
 * The configuration that administrators change and list. A change writes several items, so use a client with a longer deadline
 * than for decisions. `clock` determines the first day of a list of audit records.
 */
export const createDynamoAdminStore = (client: DynamoClient, tableName: string, clock: Clock): AdminStore =>
  createAdminStoreOf(createTableReads(client, tableName), createTableWrites(client, tableName), clock)

/** The same on reads and writes of any kind. */
export const createAdminStoreOf = (reads: TableReads, writes: TableWrites, clock: Clock): AdminStore => {
  const entities = createEntities(reads, writes)
  return {
    ...entities,
    deleteEntity: createDeleteEntity(reads, writes, entities.children),
    listEntities: createEntityList(reads),
    ...createApiKeys(reads, writes),
    ...createModels(reads, writes),
    ...createUpstreams(reads, writes),
    ...createAlerts(reads, writes),
    ...createLimitSets(reads, writes),
    listPolicies: createPolicyList(reads),
    recordAudit: createAuditWriter(writes),
    listAudit: createAuditList(reads, clock),
  }
}
