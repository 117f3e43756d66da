import type { Entity } from '../../../core/model/entity.ts'
import type { AdminStore } from '../../../core/ports/admin-store.ts'
import { toItem } from '../attribute-values.ts'
import { auditItem } from '../items/audit-item.ts'
import { entityItem, toEntity } from '../items/entity-item.ts'
import type { TableReads } from '../table/table-reads.ts'
import { absent, atVersion, type ItemCondition, type TableWrite } from '../table/table-write.ts'
import type { TableWrites } from '../table/table-writes.ts'
import { afterPrefix, childKey, entityKey, entityPartition, SORT } from '../table-keys.ts'
import { createDeleteEntity } from './deleting-entity.ts'

type Entities = Pick<
  AdminStore,
  'entity' | 'entities' | 'createEntity' | 'replaceEntity' | 'deleteEntity' | 'children'
>

/** Takes children: exists, and nobody is deleting it. */
const takesChildren: ItemCondition = {
  expression: 'attribute_exists(#pk) AND attribute_not_exists(#deleting)',
  names: { '#pk': 'PK', '#deleting': 'deleting' },
}

/** Entities in the table: META, and a row below the parent for each child. */
export const createEntities = (reads: TableReads, writes: TableWrites): Entities => {
  const entity = async (id: string): Promise<Entity | undefined> => {
    const item = await reads.get(entityKey(id))
    return item === undefined ? undefined : toEntity(item)
  }

  const children = async (id: string): Promise<readonly string[]> => {
    const rows = await reads.partition(entityPartition(id), { prefix: SORT.child })
    const ids = rows.map((row) => afterPrefix(row.SK?.S ?? '', SORT.child))
    const found = await reads.getAll(ids.map(entityKey))
    // a row that a crash left behind has no entity, or one with another parent
    return ids.filter((_, index) => found[index]?.parent_id?.S === id)
  }

  return {
    entity,
    async entities(ids) {
      const items = await reads.getAll(ids.map(entityKey))
      return items.map((item) => item && toEntity(item))
    },
    children,
    async createEntity(entity, audit) {
      const failed = await writes.apply<'exists' | 'parent_missing'>([
        ...belowParent(entity),
        { does: 'put', item: entityItem(entity), condition: absent, otherwise: 'exists' },
        ...parentTakes(entity, 'recheck'),
        { does: 'put', item: auditItem(audit) },
      ])
      return failed ?? 'created'
    },
    async replaceEntity(entity, expectedVersion, audit) {
      const stored = await reads.get(entityKey(entity.id))
      if (stored === undefined) return 'changed'
      const { parentId } = toEntity(stored)
      const hasMoved = parentId !== entity.parentId
      const failed = await writes.apply<'changed' | 'parent_missing'>([
        ...(hasMoved ? belowParent(entity) : []),
        {
          does: 'put',
          item: entityItem(entity),
          condition: atVersion(expectedVersion),
          otherwise: 'changed',
        },
        ...(hasMoved && parentId !== null
          ? [{ does: 'delete' as const, key: childKey(parentId, entity.id) }]
          : []),
        { does: 'put', item: auditItem(audit) },
      ])
      return failed ?? 'replaced'
    },
    deleteEntity: createDeleteEntity(reads, writes, children),
  }
}

/** The child row comes before the entity: a row without one is skipped, an entity without its row would be lost. */
const belowParent = (entity: Entity): readonly TableWrite<'parent_missing'>[] =>
  entity.parentId === null
    ? []
    : [
        ...parentTakes(entity, 'check'),
        { does: 'put', item: toItem({ ...childKey(entity.parentId, entity.id) }) },
      ]

const parentTakes = (
  { parentId }: Entity,
  does: 'check' | 'recheck',
): readonly TableWrite<'parent_missing'>[] =>
  parentId === null
    ? []
    : [{ does, key: entityKey(parentId), condition: takesChildren, otherwise: 'parent_missing' }]
