import { type Entity, PRIORITIES } from '../../../core/model/entity.ts'
import { type StoredItem, toItem } from '../attribute-values.ts'
import { entityKey, INDEXED, idOf } from '../table-keys.ts'
import { toIsoTime } from './iso-time.ts'
import { createItemReader } from './item-reader.ts'

/** An entity's META item, in the index of all entities. What is null is left out. */
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

/** Throws an error that names the item where it cannot be read. */
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
