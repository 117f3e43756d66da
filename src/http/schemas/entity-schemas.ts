import * as v from 'valibot'
import { ENTITY_BOUNDS } from '../../core/admin/entities.ts'
import { PRIORITIES } from '../../core/model/entity.ts'
import { LONGEST_KEY_NAME, LONGEST_SECRET, SHORTEST_SECRET, secretRule } from '../../core/model/key.ts'
import { boundedList } from './bounded-list.ts'
import { id, modelId, moment, nextCursor, seconds } from './fields.ts'
import { noList } from './no-list.ts'

const { nameLength, models, metadataEntries, metadataKeyLength, metadataValueLength } = ENTITY_BOUNDS

const name = v.pipe(v.string(), v.minLength(1), v.maxLength(nameLength))
const metadata = v.pipe(
  noList(
    v.record(
      v.pipe(v.string(), v.minLength(1), v.maxLength(metadataKeyLength)),
      v.pipe(v.string(), v.maxLength(metadataValueLength)),
    ),
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

export const entityPatchBody = v.strictObject({
  name: v.exactOptional(name),
  ...changeable,
  disabled: v.exactOptional(v.boolean()),
  bypass: v.exactOptional(v.boolean()),
})

export const entityAnswer = v.pipe(
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

export const entitiesAnswer = v.object({ items: v.array(entityAnswer), next_cursor: nextCursor })
export const childrenAnswer = v.object({ entity_id: v.string(), children: v.array(v.string()) })

/** What the key service checks by default; it knows other rules for the demo seed. */
const SECRET_PATTERN = new RegExp(`^[\\x21-\\x7e]{${SHORTEST_SECRET},${LONGEST_SECRET}}$`)

export const newKeyBody = v.strictObject({
  name: v.exactOptional(v.pipe(v.string(), v.maxLength(LONGEST_KEY_NAME))),
  secret: v.exactOptional(v.pipe(v.string(), v.regex(SECRET_PATTERN, secretRule(SHORTEST_SECRET)))),
  expires_at: v.exactOptional(v.nullable(moment)),
})

const LONGEST_GRACE_SECONDS = 30 * 86_400

export const rotateBody = v.strictObject({
  grace_seconds: v.exactOptional(v.pipe(v.number(), v.minValue(0), v.maxValue(LONGEST_GRACE_SECONDS))),
})

export const newKeyAnswer = v.object({
  key_id: v.string(),
  secret: v.pipe(v.string(), v.description('Shown this once')),
  name: v.string(),
  expires_at: v.nullable(seconds),
})

export const keyAnswer = v.pipe(
  v.object({
    key_id: v.string(),
    name: v.string(),
    masked_secret: v.string(),
    status: v.picklist(['active', 'revoked']),
    expires_at: v.nullable(seconds),
    created_at: seconds,
  }),
  v.metadata({ ref: 'ApiKey' }),
)

export const keysAnswer = v.object({ items: v.array(keyAnswer), next_cursor: nextCursor })
