import { type Entity, isId } from '../../core/model/entity.ts'
import type { AdminStore } from '../../core/ports/admin-store.ts'
import { badCursor, decodeCursor, encodeCursor } from '../cursor.ts'
import { type EntityPage, type EntitySource, searchEntities } from '../search.ts'
import { byText, type MemoryTables } from './memory-tables.ts'

type Entities = Pick<
  AdminStore,
  'entity' | 'entities' | 'createEntity' | 'replaceEntity' | 'deleteEntity' | 'children' | 'listEntities'
>

/** Entities without an engine. */
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
    async deleteEntity({ id }, record) {
      if (!entities.has(id)) return 'missing'
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
