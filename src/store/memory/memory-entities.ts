import { type Entity, isId } from '../../core/entity/entity.ts'
import type { AdminStore } from '../../core/ports/admin-store.ts'
import { badCursor, decodeCursor, encodeCursor } from '../cursor.ts'
import { matchesSearch } from '../search.ts'
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
    async listEntities({ limit, cursor, q }) {
      const [after] = decodeCursor(cursor, 1) ?? []
      if (after !== undefined && !isId(after)) throw badCursor()
      const found = [...entities.values()]
        .filter((entity) => (after === undefined || byText(entity.id, after) > 0) && matchesSearch(entity, q))
        .sort((a, b) => byText(a.id, b.id))
      const items = found.slice(0, limit)
      const last = items.at(-1)
      return { items, nextCursor: last === undefined || found.length <= limit ? null : encodeCursor(last.id) }
    },
  }
}

const removeBelongings = ({ apiKeys, limitSets }: MemoryTables, id: string, at: bigint): void => {
  for (const [hash, { entityId }] of apiKeys) if (entityId === id) apiKeys.delete(hash)
  for (const [name, { key, set }] of limitSets) {
    if (key.owner.kind !== 'entity' || key.owner.id !== id || set.limits.length === 0) continue
    limitSets.set(name, { key, set: { limits: [], version: at > set.version ? at : set.version + 1n } })
  }
}
