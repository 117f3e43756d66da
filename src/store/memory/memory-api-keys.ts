import type { ApiKey } from '../../core/entity/api-key.ts'
import type { AdminStore } from '../../core/ports/admin-store.ts'
import type { MemoryTables } from './memory-tables.ts'

type ApiKeys = Pick<AdminStore, 'apiKey' | 'putKey' | 'listKeys' | 'updateKey'>

/** API keys without an engine. */
export const createMemoryApiKeys = ({ apiKeys, audit }: MemoryTables): ApiKeys => {
  const hashOf = ({ entityId, keyId }: ApiKey): string | undefined =>
    [...apiKeys].find(([, key]) => key.entityId === entityId && key.keyId === keyId)?.[0]
  const isTaken = (key: ApiKey, secretHash: string): boolean =>
    apiKeys.has(secretHash) || hashOf(key) !== undefined

  return {
    apiKey: async (secretHash) => apiKeys.get(secretHash),
    async putKey(key, secretHash, record) {
      if (isTaken(key, secretHash)) return 'exists'
      apiKeys.set(secretHash, key)
      audit.push(record)
      return 'created'
    },
    listKeys: async (entityId) =>
      [...apiKeys.values()]
        .filter((key) => key.entityId === entityId)
        .sort((a, b) => Number(a.createdAt - b.createdAt)),
    async updateKey(key, record, replacement) {
      const hash = hashOf(key)
      const stored = hash === undefined ? undefined : apiKeys.get(hash)
      if (hash === undefined || stored === undefined) return 'missing'
      if (replacement !== undefined && isTaken(replacement.key, replacement.secretHash)) return 'exists'
      // a revoked key stays so
      if (stored.status === 'revoked' && key.status !== 'revoked') return 'missing'
      if (replacement !== undefined) apiKeys.set(replacement.secretHash, replacement.key)
      apiKeys.set(hash, { ...stored, status: key.status, expiresAt: key.expiresAt })
      audit.push(record)
      return 'updated'
    },
  }
}
