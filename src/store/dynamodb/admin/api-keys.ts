import type { AdminStore } from '../../../core/ports/admin-store.ts'
import { apiKeyItems, secretHashOf, toApiKey } from '../items/api-key-item.ts'
import { auditItem } from '../items/audit-item.ts'
import type { TableReads } from '../table/table-reads.ts'
import { absent, type ItemCondition, present, type TableWrite } from '../table/table-write.ts'
import type { TableWrites } from '../table/table-writes.ts'
import { entityApiKeyKey, entityPartition, SORT, secretKey } from '../table-keys.ts'

type ApiKeys = Pick<AdminStore, 'apiKey' | 'putKey' | 'listKeys' | 'updateKey'>

/** A revoked key stays so, whoever changes it at the same time. */
const notRevoked: ItemCondition = {
  expression: 'attribute_exists(#pk) AND #status <> :revoked',
  names: { '#pk': 'PK', '#status': 'status' },
  values: { ':revoked': { S: 'revoked' } },
}

/** API keys in the table, two items each. */
export const createApiKeys = (reads: TableReads, writes: TableWrites): ApiKeys => ({
  async apiKey(secretHash) {
    const item = await reads.get(secretKey(secretHash))
    return item === undefined ? undefined : toApiKey(item)
  },
  async putKey(key, secretHash, audit) {
    const failed = await writes.apply([
      ...newKey(apiKeyItems(key, secretHash)),
      { does: 'put', item: auditItem(audit) },
    ])
    return failed ?? 'created'
  },
  async listKeys(entityId) {
    const rows = await reads.partition(entityPartition(entityId), { prefix: SORT.key })
    return rows.map(toApiKey).sort(byAge)
  },
  async updateKey(key, audit, replacement) {
    const row = await reads.get(entityApiKeyKey(key.entityId, key.keyId))
    if (row === undefined) return 'missing'
    const { status, expiresAt } = key
    const changed = apiKeyItems({ ...toApiKey(row), status, expiresAt }, secretHashOf(row))
    const failed = await writes.apply<'exists' | 'missing'>([
      ...(replacement === undefined ? [] : newKey(apiKeyItems(replacement.key, replacement.secretHash))),
      // a revocation needs no other half: it also ends a key that a crash has left half made
      status === 'revoked'
        ? { does: 'put', item: changed.bySecret }
        : { does: 'put', item: changed.bySecret, condition: notRevoked, otherwise: 'missing' },
      { does: 'put', item: changed.byEntity, condition: present, otherwise: 'missing' },
      { does: 'put', item: auditItem(audit) },
    ])
    return failed ?? 'updated'
  },
})

/** The row below the entity comes first: a key that opens is always one that can be seen and revoked. */
const newKey = ({ byEntity, bySecret }: ReturnType<typeof apiKeyItems>): readonly TableWrite<'exists'>[] =>
  [byEntity, bySecret].map((item) => ({ does: 'put', item, condition: absent, otherwise: 'exists' }))

const byAge = (a: { readonly createdAt: bigint }, b: { readonly createdAt: bigint }): number =>
  Number(a.createdAt - b.createdAt)
