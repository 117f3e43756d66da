import type { ApiKey } from '../../../core/model/key.ts'
import { type StoredItem, toItem } from '../attribute-values.ts'
import { entityApiKeyKey, secretKey, type TableKey } from '../table-keys.ts'
import { toIsoTime } from './iso-time.ts'
import { createItemReader } from './item-reader.ts'

/**
 * A key is two items with the same data, which change together: one found by the secret's SHA-256, to let callers in,
 * one below its entity, to list and revoke. Neither holds the secret.
 */
export const apiKeyItems = (
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

/** Throws an error that names the item where it cannot be read. */
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
