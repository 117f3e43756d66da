import type { ApiKey } from '../../core/model/key.ts'
import type { AdminStore } from '../../core/ports/admin-store.ts'
import type { MemoryTables } from './memory-tables.ts'

type ApiKeys = Pick<AdminStore, 'apiKey' | 'putKey' | 'listKeys' | 'updateKey'>

/** API keys without an engine. */
export const createMemoryApiKeys = ({ apiKeys, audit }: MemoryTables): ApiKeys => {
  const find = ({ entityId, keyId }: ApiKey) =>
    [...apiKeys].find(([, key]) => key.entityId === entityId && key.keyId === keyId)
  const isTaken = (key: ApiKey, secretHash: string): boolean =>
    apiKeys.has(secretHash) || find(key) !== undefined

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
      const [hash, stored] = find(key) ?? []
      if (hash === undefined || stored === undefined || isRevival(stored, key)) return 'missing'
      if (replacement !== undefined) {
        if (isTaken(replacement.key, replacement.secretHash)) return 'exists'
        apiKeys.set(replacement.secretHash, replacement.key)
      }
      apiKeys.set(hash, { ...stored, status: key.status, expiresAt: key.expiresAt })
      audit.push(record)
      return 'updated'
    },
  }
}

/** A revoked key stays so, whoever changes it at the same time. */
const isRevival = (stored: ApiKey, key: ApiKey): boolean =>
  stored.status === 'revoked' && key.status !== 'revoked'
