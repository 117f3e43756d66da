import type { Alert } from '../../src/core/model/alert.ts'
import { type Entity, isId } from '../../src/core/model/entity.ts'
import type { ApiKey } from '../../src/core/model/key.ts'
import {
  type LimitSet,
  type LimitSetKey,
  limitSetText,
  ownerText,
  type VersionedPolicy,
} from '../../src/core/model/limit-set.ts'
import type { Model } from '../../src/core/model/model.ts'
import type { PolicyKey } from '../../src/core/model/policy.ts'
import type { Upstream } from '../../src/core/model/upstream.ts'
import type { AdminStore, AuditRecord } from '../../src/core/ports/admin-store.ts'
import {
  badCursor,
  decodeCursor,
  decodePolicyCursor,
  encodeCursor,
  encodePolicyCursor,
} from '../../src/store/cursor.ts'
import { type EntityPage, type EntitySource, searchEntities } from '../../src/store/search.ts'

/** The configuration in memory. Each change runs in one turn of the event loop, so it is atomic. */
export interface MemoryTables {
  readonly entities: Map<string, Entity>
  /** By the SHA-256 of the secret. */
  readonly apiKeys: Map<string, ApiKey>
  readonly models: Map<string, Model>
  readonly upstreams: Map<string, Upstream>
  readonly alerts: Map<string, Alert>
  /** By `limitSetText`. */
  readonly limitSets: Map<string, { readonly key: LimitSetKey; readonly set: LimitSet }>
  readonly audit: AuditRecord[]
}

export const createMemoryTables = (): MemoryTables => ({
  entities: new Map(),
  apiKeys: new Map(),
  models: new Map(),
  upstreams: new Map(),
  alerts: new Map(),
  limitSets: new Map(),
  audit: [],
})

/** The order of text in the table: by code units, which equals the order of bytes for the characters of ids. */
export const byText = (a: string, b: string): number => {
  if (a === b) return 0
  return a < b ? -1 : 1
}

/** An admin store in memory. */
export const createMemoryAdminStore = (): AdminStore => {
  const tables = createMemoryTables()
  const models = createMemoryItems(tables.models, ({ id }) => id, tables)
  const upstreams = createMemoryItems(tables.upstreams, ({ name }) => name, tables)
  const alerts = createMemoryItems(tables.alerts, ({ name }) => name, tables)
  return {
    ...createMemoryEntities(tables),
    ...createMemoryApiKeys(tables),
    model: models.item,
    putModel: models.put,
    deleteModel: models.remove,
    listModels: models.list,
    upstream: upstreams.item,
    putUpstream: upstreams.put,
    deleteUpstream: upstreams.remove,
    listUpstreams: upstreams.list,
    alert: alerts.item,
    putAlert: alerts.put,
    deleteAlert: alerts.remove,
    listAlerts: alerts.list,
    ...createMemoryLimitSets(tables),
    listPolicies: createMemoryPolicyList(tables),
    recordAudit: async (record) => void tables.audit.push(record),
    listAudit: createMemoryAudit(tables),
  }
}

/** Items by name: what the admin store does with models, upstreams and alerts alike. */
const createMemoryItems = <T extends { readonly version: bigint }>(
  items: Map<string, T>,
  nameOf: (item: T) => string,
  { audit }: MemoryTables,
) => ({
  item: async (name: string) => items.get(name),
  async put(item: T, record: AuditRecord, expectedVersion?: bigint | null): Promise<'replaced' | 'changed'> {
    const stored = items.get(nameOf(item))?.version ?? null
    if (stored !== (expectedVersion === undefined ? stored : expectedVersion)) return 'changed'
    items.set(nameOf(item), item)
    audit.push(record)
    return 'replaced'
  },
  async remove(name: string, record: AuditRecord, expectedVersion?: bigint): Promise<'missing' | 'deleted'> {
    const stored = items.get(name)
    if (stored?.version !== (expectedVersion ?? stored?.version) || !items.delete(name)) return 'missing'
    audit.push(record)
    return 'deleted'
  },
  list: async () => [...items.values()].sort((a, b) => byText(nameOf(a), nameOf(b))),
})

const createMemoryLimitSets = ({
  limitSets,
  audit,
}: MemoryTables): Pick<
  AdminStore,
  'limitSets' | 'putLimitSet' | 'limitedResources' | 'ownLimitSets' | 'limitedRoles'
> => ({
  limitSets: async (keys) => keys.map((key) => limitSets.get(limitSetText(key))?.set),
  async putLimitSet(key, set, expectedVersion, record) {
    const name = limitSetText(key)
    if ((limitSets.get(name)?.set.version ?? null) !== expectedVersion) return 'changed'
    limitSets.set(name, { key, set })
    audit.push(record)
    return 'replaced'
  },
  limitedResources: async (owner) =>
    [...limitSets.values()]
      .filter(({ key, set }) => ownerText(key.owner) === ownerText(owner) && set.limits.length > 0)
      .map(({ key }) => key.resource)
      .sort(byText),
  ownLimitSets: async (owner) =>
    [...limitSets.values()]
      .filter(({ key, set }) => ownerText(key.owner) === ownerText(owner) && set.limits.length > 0)
      .map(({ key, set }) => ({ resource: key.resource, ...set }))
      .sort((a, b) => byText(a.resource, b.resource)),
  limitedRoles: async () => {
    const roles = [...limitSets.values()].flatMap(({ key: { owner }, set }) =>
      owner.kind === 'role' && set.limits.length > 0 ? [owner.role] : [],
    )
    return [...new Set(roles)].sort(byText)
  },
})

const createMemoryPolicyList =
  ({ limitSets }: MemoryTables): AdminStore['listPolicies'] =>
  async ({ limit, cursor }) => {
    const after = decodePolicyCursor(cursor)
    const found = [...limitSets.values()]
      .flatMap(({ key: { owner }, set: { limits, version } }): VersionedPolicy[] =>
        owner.kind === 'policy' && limits.length > 0 ? [{ key: keyOf(owner), limits, version }] : [],
      )
      .filter(({ key }) => after === undefined || byText(rangeOf(key), rangeOf(after)) > 0)
      .sort((a, b) => byText(rangeOf(a.key), rangeOf(b.key)))
    const items = found.slice(0, limit)
    const last = items.at(-1)
    const hasMore = last !== undefined && found.length > limit
    return { items, nextCursor: hasMore ? encodePolicyCursor(last.key) : null }
  }

const keyOf = ({ scope, selector }: PolicyKey): PolicyKey => ({ scope, selector })

const rangeOf = ({ scope, selector }: PolicyKey): string => `${scope}#${selector}`

type Entities = Pick<
  AdminStore,
  'entity' | 'entities' | 'createEntity' | 'replaceEntity' | 'deleteEntity' | 'children' | 'listEntities'
>

/** Entities in memory. */
export const createMemoryEntities = (tables: MemoryTables): Entities => {
  const { entities, audit } = tables
  const lacksParent = ({ parentId }: Entity): boolean => parentId !== null && !entities.has(parentId)
  const childrenOf = (id: string): readonly string[] =>
    [...entities.values()]
      .filter(({ parentId }) => parentId === id)
      .map((child) => child.id)
      .sort(byText)

  return {
    entity: async (id) => entities.get(id),
    entities: async (ids) => ids.map((id) => entities.get(id)),
    children: async (id) => childrenOf(id),
    async createEntity(entity, record) {
      if (lacksParent(entity)) return 'parent_missing'
      if (entities.has(entity.id)) return 'exists'
      entities.set(entity.id, entity)
      audit.push(record)
      return 'created'
    },
    async replaceEntity(entity, expectedVersion, record) {
      const stored = entities.get(entity.id)
      if (stored?.version !== expectedVersion) return 'changed'
      if (stored.parentId !== entity.parentId && lacksParent(entity)) return 'parent_missing'
      entities.set(entity.id, entity)
      audit.push(record)
      return 'replaced'
    },
    async deleteEntity({ id }, record, expectedVersion) {
      const stored = entities.get(id)
      if (stored === undefined) return 'missing'
      if (stored.version !== (expectedVersion ?? stored.version)) return 'changed'
      if (childrenOf(id).length > 0) return 'has_children'
      entities.delete(id)
      removeBelongings(tables, id, record.at)
      audit.push(record)
      return 'deleted'
    },
    async listEntities({ q, ...request }) {
      const source: EntitySource = { page: async (options) => pageOf(entities.values(), options) }
      if (q) return searchEntities(source, { ...request, q })
      const [after] = decodeCursor(request.cursor, 1) ?? []
      if (after !== undefined && !isId(after)) throw badCursor()
      const page = await source.page({ prefix: '', after, limit: request.limit })
      return {
        items: page.entities,
        nextCursor: page.readUpTo === undefined ? null : encodeCursor(page.readUpTo),
      }
    },
  }
}

const pageOf = (
  all: Iterable<Entity>,
  { prefix, after, limit }: Parameters<EntitySource['page']>[0],
): EntityPage => {
  const left = [...all]
    .filter(({ id }) => id.startsWith(prefix) && (after === undefined || byText(id, after) > 0))
    .sort((a, b) => byText(a.id, b.id))
  const entities = left.slice(0, limit)
  return { entities, readUpTo: left.length > limit ? entities.at(-1)?.id : undefined }
}

const removeBelongings = ({ apiKeys, limitSets }: MemoryTables, id: string, at: bigint): void => {
  for (const [hash, { entityId }] of apiKeys) if (entityId === id) apiKeys.delete(hash)
  for (const [name, { key, set }] of limitSets) {
    if (key.owner.kind !== 'entity' || key.owner.id !== id || set.limits.length === 0) continue
    limitSets.set(name, { key, set: { limits: [], version: at > set.version ? at : set.version + 1n } })
  }
}

type ApiKeys = Pick<AdminStore, 'apiKey' | 'putKey' | 'listKeys' | 'updateKey'>

/** API keys in memory. */
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

/** A revoked key stays revoked. */
const isRevival = (stored: ApiKey, key: ApiKey): boolean =>
  stored.status === 'revoked' && key.status !== 'revoked'

type Place = Pick<AuditRecord, 'at' | 'id'>

/** Audit records in memory, newest first. */
export const createMemoryAudit =
  ({ audit }: MemoryTables): AdminStore['listAudit'] =>
  async ({ limit, cursor, subject, from = 0n }) => {
    const after = toPlace(cursor)
    const found = audit
      .filter((record) => record.at >= from && (subject === undefined || record.subject === subject))
      .filter((record) => after === undefined || newestFirst(record, after) > 0)
      .sort(newestFirst)
    const items = found.slice(0, limit)
    const last = items.at(-1)
    const hasMore = last !== undefined && found.length > limit
    return { items, nextCursor: hasMore ? encodeCursor(String(last.at), last.id) : null }
  }

const newestFirst = (a: Place, b: Place): number => (a.at === b.at ? byText(b.id, a.id) : Number(b.at - a.at))

const toPlace = (cursor: string | undefined): Place | undefined => {
  const parts = decodeCursor(cursor, 2)
  if (parts === undefined) return undefined
  const [at = '', id = ''] = parts
  if (!/^\d+$/.test(at) || id === '') throw badCursor()
  return { at: BigInt(at), id }
}
