import * as v from 'valibot'
import { ENTITY_BOUNDS, PRIORITIES } from '../core/model/entity.ts'
import { boundedList, plainRecord } from './containers.ts'
import { id, modelId, nextCursor, seconds } from './fields.ts'

const { nameLength, models, metadataEntries, metadataKeyLength, metadataValueLength } = ENTITY_BOUNDS

const name = v.pipe(v.string(), v.minLength(1), v.maxLength(nameLength))

const metadata = v.pipe(
  plainRecord(
    v.pipe(v.string(), v.minLength(1), v.maxLength(metadataKeyLength)),
    v.pipe(v.string(), v.maxLength(metadataValueLength)),
  ),
  v.maxEntries(metadataEntries),
)

const modelIds = boundedList(modelId, { most: models, must: `contain at most ${models} models` })

const changeable = {
  parent_id: v.exactOptional(v.nullable(id)),
  kind: v.exactOptional(id),
  cascade: v.exactOptional(v.boolean()),
  role: v.exactOptional(v.nullable(id)),
  priority: v.exactOptional(v.picklist(PRIORITIES)),
  models: v.exactOptional(v.nullable(modelIds)),
  metadata: v.exactOptional(metadata),
}

export const newEntityBody = v.strictObject({ entity_id: id, name, ...changeable })

/** The fields of an entity that an administrator may change. */
export const entityFields = {
  name: v.exactOptional(name),
  ...changeable,
  disabled: v.exactOptional(v.boolean()),
  bypass: v.exactOptional(v.boolean()),
}

export const entityPatchBody = v.strictObject(entityFields)

export const entityResponse = v.pipe(
  v.object({
    entity_id: v.string(),
    name: v.string(),
    parent_id: v.nullable(v.string()),
    kind: v.string(),
    cascade: v.boolean(),
    role: v.nullable(v.string()),
    priority: v.picklist(PRIORITIES),
    models: v.nullable(v.array(v.string())),
    disabled: v.boolean(),
    bypass: v.boolean(),
    created_at: seconds,
    metadata: v.record(v.string(), v.string()),
  }),
  v.metadata({ ref: 'Entity' }),
)

export const entitiesResponse = v.object({ items: v.array(entityResponse), next_cursor: nextCursor })

export const childrenResponse = v.object({ entity_id: v.string(), children: v.array(v.string()) })
