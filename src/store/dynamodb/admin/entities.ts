import { type Entity, PRIORITIES } from '../../../core/model/entity.ts'
import type { AdminStore, AuditRecord } from '../../../core/ports/admin-store.ts'
import { createItemReader, type StoredItem, toIsoTime, toItem } from '../attributes.ts'
import { afterPrefix, childKey, entityKey, entityPartition, INDEXED, idOf, SORT } from '../table-keys.ts'
import type { TableReads } from '../table-reads.ts'
import { absent, atVersion, type ItemCondition, type TableWrite, type TableWrites } from '../table-writes.ts'
import { auditItem } from './audit.ts'

/** The META item of an entity, in the index of all entities. Null fields are left out. */
export const entityItem = (entity: Entity): StoredItem =>
  toItem({
    ...entityKey(entity.id),
    GSI1PK: INDEXED.entities,
    GSI1SK: entity.id,
    name: entity.name,
    kind: entity.kind,
    ...(entity.parentId !== null && { parent_id: entity.parentId }),
    cascade: entity.cascade,
    ...(entity.role !== null && { role: entity.role }),
    priority: entity.priority,
    ...(entity.models !== null && { models: entity.models }),
    disabled: entity.disabled,
    bypass: entity.bypass,
    metadata: entity.metadata,
    created_at: toIsoTime(entity.createdAt),
    version: entity.version,
  })

/** Throws an error that names the item if it is unreadable. */
export const toEntity = (item: StoredItem): Entity => {
  const read = createItemReader(item)
  return {
    id: idOf(read.text('PK')),
    name: read.text('name'),
    kind: read.text('kind'),
    parentId: read.textOrNull('parent_id'),
    cascade: read.flag('cascade'),
    role: read.textOrNull('role'),
    priority: read.word('priority', PRIORITIES),
    models: read.textsOrNull('models'),
    disabled: read.flag('disabled'),
    bypass: read.flag('bypass'),
    metadata: read.textMap('metadata'),
    createdAt: read.time('created_at'),
    version: read.integer('version'),
  }
}

type Entities = Pick<AdminStore, 'entity' | 'entities' | 'createEntity' | 'replaceEntity' | 'children'>

/** An entity accepts children if it exists and is not being deleted. */
const takesChildren: ItemCondition = {
  expression: 'attribute_exists(#pk) AND attribute_not_exists(#deleting)',
  names: { '#pk': 'PK', '#deleting': 'deleting' },
}

/** Entities in the table: a META item, and an item below the parent for each child. */
export const createEntities = (reads: TableReads, writes: TableWrites): Entities => {
  const entity = async (id: string): Promise<Entity | undefined> => {
    const item = await reads.get(entityKey(id))
    return item === undefined ? undefined : toEntity(item)
  }

  const children = async (id: string): Promise<readonly string[]> => {
    const rows = await reads.partition(entityPartition(id), { prefix: SORT.child })
    const ids = rows.map((row) => afterPrefix(row.SK?.S ?? '', SORT.child))
    const found = await reads.getAll(ids.map(entityKey))
    // a child item that a crash left has no entity, or one with another parent
    return ids.filter((_, index) => found[index]?.parent_id?.S === id)
  }

  return {
    entity,
    async entities(ids) {
      const items = await reads.getAll(ids.map(entityKey))
      return items.map((item) => item && toEntity(item))
    },
    children,
    createEntity: async (entity, audit) => (await writes.apply(creation(entity, audit))) ?? 'created',
    async replaceEntity(entity, expectedVersion, audit) {
      const stored = await reads.get(entityKey(entity.id))
      if (stored === undefined) return 'changed'
      const change = { entity, expectedVersion, audit, previousParentId: toEntity(stored).parentId }
      return (await writes.apply(replacement(change))) ?? 'replaced'
    },
  }
}

const creation = (entity: Entity, audit: AuditRecord): readonly TableWrite<'exists' | 'parent_missing'>[] => [
  ...belowParent(entity),
  { does: 'put', item: entityItem(entity), condition: absent, otherwise: 'exists' },
  ...parentTakes(entity, 'recheck'),
  { does: 'put', item: auditItem(audit) },
]

interface Replacement {
  readonly entity: Entity
  readonly expectedVersion: bigint
  readonly previousParentId: string | null
  readonly audit: AuditRecord
}

/** The child item below the previous parent is deleted last, so that a crash does not hide the entity from both parents. */
const replacement = (change: Replacement): readonly TableWrite<'changed' | 'parent_missing'>[] => {
  const { entity, expectedVersion, previousParentId, audit } = change
  const hasMoved = previousParentId !== entity.parentId
  return [
    ...(hasMoved ? belowParent(entity) : []),
    { does: 'put', item: entityItem(entity), condition: atVersion(expectedVersion), otherwise: 'changed' },
    ...(hasMoved && previousParentId !== null
      ? [{ does: 'delete' as const, key: childKey(previousParentId, entity.id) }]
      : []),
    { does: 'put', item: auditItem(audit) },
  ]
}

/** The child item comes before the entity: without an entity it is skipped, whereas an entity without it would be lost. */
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
