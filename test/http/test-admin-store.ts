import type { ApiKey } from '../../src/core/entity/api-key.ts'
import type { Entity } from '../../src/core/entity/entity.ts'
import type { Model } from '../../src/core/entity/model.ts'
import { invalid, StoreUnavailable } from '../../src/core/errors.ts'
import type { LimitOwner, LimitSet, LimitSetKey } from '../../src/core/limit/limit.ts'
import type { AdminStore, AuditRecord, Page, PageRequest } from '../../src/core/ports/admin-store.ts'

/** An AdminStore in maps, which a test can take away. */
export interface TestAdminStore extends AdminStore {
  /** From now on every call throws, until it is false again. */
  away: boolean
  /** Calls so far by method, to see what was cached. */
  readonly calls: Map<string, number>
}

export const createTestAdminStore = (): TestAdminStore => {
  const state = { away: false, calls: new Map<string, number>() }
  const maps = {
    entities: new Map<string, Entity>(),
    keys: new Map<string, ApiKey>(),
    models: new Map<string, Model>(),
    sets: new Map<string, LimitSet>(),
    audit: [] as AuditRecord[],
  }
  const methods = {
    ...configMethods(maps),
    ...entityMethods(maps),
    ...keyMethods(maps),
    ...otherMethods(maps),
  }
  const guarded = Object.fromEntries(
    Object.entries(methods).map(([name, method]) => [
      name,
      async (...parameters: readonly unknown[]) => {
        state.calls.set(name, (state.calls.get(name) ?? 0) + 1)
        if (state.away) throw new StoreUnavailable('away', { mayHaveApplied: false })
        return Reflect.apply(method, undefined, parameters)
      },
    ]),
  )
  return Object.assign(state, methods, guarded)
}

interface Maps {
  readonly entities: Map<string, Entity>
  /** By the hash of the secret. */
  readonly keys: Map<string, ApiKey>
  readonly models: Map<string, Model>
  readonly sets: Map<string, LimitSet>
  readonly audit: AuditRecord[]
}

const ownerText = (owner: LimitOwner): string => JSON.stringify(owner)
const setText = ({ owner, resource }: LimitSetKey): string => `${ownerText(owner)}#${resource}`

const configMethods = ({ entities, models, sets, keys }: Maps) => ({
  entity: async (id: string) => entities.get(id),
  model: async (id: string) => models.get(id),
  limitSets: async (wanted: readonly LimitSetKey[]) => wanted.map((key) => sets.get(setText(key))),
  apiKey: async (secretHash: string) => keys.get(secretHash),
})

const entityMethods = ({ entities, keys, sets, audit }: Maps) => ({
  async createEntity(entity: Entity, record: AuditRecord) {
    if (entities.has(entity.id)) return 'exists' as const
    if (entity.parentId !== null && !entities.has(entity.parentId)) return 'parent_missing' as const
    entities.set(entity.id, entity)
    audit.push(record)
    return 'created' as const
  },
  async replaceEntity(entity: Entity, expectedVersion: bigint, record: AuditRecord) {
    if (entities.get(entity.id)?.version !== expectedVersion) return 'changed' as const
    if (entity.parentId !== null && !entities.has(entity.parentId)) return 'parent_missing' as const
    entities.set(entity.id, entity)
    audit.push(record)
    return 'replaced' as const
  },
  async deleteEntity(entity: Entity, record: AuditRecord) {
    if ([...entities.values()].some(({ parentId }) => parentId === entity.id)) return 'has_children' as const
    if (!entities.delete(entity.id)) return 'missing' as const
    dropWhere(keys, (_, key) => key.entityId === entity.id)
    dropWhere(sets, (name) => name.startsWith(`${ownerText({ kind: 'entity', id: entity.id })}#`))
    audit.push(record)
    return 'deleted' as const
  },
  async listEntities({ q = '', ...page }: PageRequest & { readonly q?: string }) {
    const found = [...entities.values()]
      .filter(({ id, name }) => `${id}\n${name}`.toLowerCase().includes(q.toLowerCase()))
      .toSorted((a, b) => (a.id < b.id ? -1 : 1))
    return paged(found, page)
  },
  children: async (id: string) =>
    [...entities.values()].filter(({ parentId }) => parentId === id).map((child) => child.id),
})

const keyMethods = ({ keys, audit }: Maps) => ({
  async putKey(key: ApiKey, secretHash: string, record: AuditRecord) {
    if (keys.has(secretHash)) return 'exists' as const
    keys.set(secretHash, key)
    audit.push(record)
    return 'created' as const
  },
  listKeys: async (entityId: string) => [...keys.values()].filter((key) => key.entityId === entityId),
  async updateKey(
    key: ApiKey,
    record: AuditRecord,
    replacement?: { readonly key: ApiKey; readonly secretHash: string },
  ) {
    const hash = [...keys].find(([, stored]) => stored.keyId === key.keyId)?.[0]
    if (hash === undefined) return 'missing' as const
    keys.set(hash, key)
    if (replacement !== undefined) keys.set(replacement.secretHash, replacement.key)
    audit.push(record)
    return 'updated' as const
  },
})

const otherMethods = ({ models, sets, audit }: Maps) => ({
  async putModel(model: Model, record: AuditRecord) {
    models.set(model.id, model)
    audit.push(record)
  },
  async deleteModel(id: string, record: AuditRecord) {
    if (!models.delete(id)) return 'missing' as const
    audit.push(record)
    return 'deleted' as const
  },
  listModels: async () => [...models.values()],
  async putLimitSet(key: LimitSetKey, set: LimitSet, expectedVersion: bigint | null, record: AuditRecord) {
    if ((sets.get(setText(key))?.version ?? null) !== expectedVersion) return 'changed' as const
    sets.set(setText(key), set)
    audit.push(record)
    return 'replaced' as const
  },
  limitedResources: async (owner: LimitOwner) =>
    [...sets]
      .filter(([name, { limits }]) => name.startsWith(`${ownerText(owner)}#`) && limits.length > 0)
      .map(([name]) => name.slice(ownerText(owner).length + 1)),
  async listAudit({ subject, from = 0n, ...page }: PageRequest & { subject?: string; from?: bigint }) {
    const found = audit.filter(
      (record) => (subject === undefined || record.subject === subject) && record.at >= from,
    )
    return paged(found.toReversed(), page)
  },
})

const paged = <T>(items: readonly T[], { limit, cursor = '0' }: PageRequest): Page<T> => {
  if (!/^\d+$/.test(cursor)) throw invalid('cursor', 'be one that an answer gave')
  const end = Number(cursor) + limit
  return { items: items.slice(Number(cursor), end), nextCursor: end < items.length ? String(end) : null }
}

const dropWhere = <V>(map: Map<string, V>, isDropped: (name: string, value: V) => boolean): void => {
  for (const [name, value] of map) if (isDropped(name, value)) map.delete(name)
}
