import type { ApiKey } from '../../../core/model/key.ts'
import type { AdminStore } from '../../../core/ports/admin-store.ts'
import { createItemReader, type StoredItem, toIsoTime, toItem } from '../attributes.ts'
import { entityApiKeyKey, entityPartition, SORT, secretKey, type TableKey } from '../table-keys.ts'
import type { TableReads } from '../table-reads.ts'
import { absent, type ItemCondition, present, type TableWrite, type TableWrites } from '../table-writes.ts'
import { auditItem } from './audit.ts'

/**
 * A key is two items with the same data, which change together: one by the SHA-256 of the secret, for authentication, and one
 * below its entity, for lists and revocation. Neither contains the secret.
 */
const apiKeyItems = (
  key: ApiKey,
  secretHash: string,
): { readonly bySecret: StoredItem; readonly byEntity: StoredItem } => ({
  bySecret: apiKeyItem(key, secretHash, secretKey(secretHash)),
  byEntity: apiKeyItem(key, secretHash, entityApiKeyKey(key.entityId, key.keyId)),
})

const apiKeyItem = (key: ApiKey, secretHash: string, at: TableKey): StoredItem =>
  toItem({
    ...at,
    key_id: key.keyId,
    entity_id: key.entityId,
    name: key.name,
    prefix: key.prefix,
    secret_sha256: secretHash,
    status: key.status,
    ...(key.expiresAt !== null && { expires_at: toIsoTime(key.expiresAt) }),
    created_at: toIsoTime(key.createdAt),
  })

/** Throws an error that names the item if it is unreadable. */
export const toApiKey = (item: StoredItem): ApiKey => {
  const read = createItemReader(item)
  return {
    keyId: read.text('key_id'),
    entityId: read.text('entity_id'),
    name: read.text('name'),
    prefix: read.text('prefix'),
    status: read.word('status', ['active', 'revoked']),
    expiresAt: read.timeOrNull('expires_at'),
    createdAt: read.time('created_at'),
  }
}

export const secretHashOf = (item: StoredItem): string => createItemReader(item).text('secret_sha256')

type ApiKeys = Pick<AdminStore, 'apiKey' | 'putKey' | 'listKeys' | 'updateKey'>

/** A revoked key stays revoked, also under concurrent changes. */
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
      // a revocation does not require the item by secret: it also revokes a key that a crash left incomplete
      status === 'revoked'
        ? { does: 'put', item: changed.bySecret }
        : { does: 'put', item: changed.bySecret, condition: notRevoked, otherwise: 'missing' },
      { does: 'put', item: changed.byEntity, condition: present, otherwise: 'missing' },
      { does: 'put', item: auditItem(audit) },
    ])
    return failed ?? 'updated'
  },
})

/** The item below the entity comes first: a key that authenticates can always be listed and revoked. */
const newKey = ({ byEntity, bySecret }: ReturnType<typeof apiKeyItems>): readonly TableWrite<'exists'>[] =>
  [byEntity, bySecret].map((item) => ({ does: 'put', item, condition: absent, otherwise: 'exists' }))

const byAge = (a: { readonly createdAt: bigint }, b: { readonly createdAt: bigint }): number =>
  Number(a.createdAt - b.createdAt)
