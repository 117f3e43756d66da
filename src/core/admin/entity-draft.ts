import { type Entity, ID_RULE, isId, isModelId, MODEL_ID_RULE, type Priority } from '../entity/entity.ts'
import { invalid } from '../errors.ts'

/** What an administrator may change of an entity. */
export interface EntityPatch {
  readonly name?: string
  readonly parentId?: string | null
  readonly kind?: string
  readonly cascade?: boolean
  readonly role?: string | null
  readonly priority?: Priority
  readonly models?: readonly string[] | null
  readonly metadata?: Readonly<Record<string, string>>
  readonly disabled?: boolean
  readonly bypass?: boolean
}

/** What an administrator says of a new entity; the rest is as in `newEntity`. */
export interface EntityDraft extends EntityPatch {
  readonly id: string
  readonly name: string
}

/** Bounds that keep an entity's item far below DynamoDB's 400 KB. */
export const ENTITY_BOUNDS = {
  nameLength: 256,
  models: 100,
  metadataEntries: 50,
  metadataKeyLength: 128,
  metadataValueLength: 1024,
} as const

export const newEntity = (draft: EntityDraft, now: bigint): Entity => ({
  kind: 'entity',
  parentId: null,
  cascade: true,
  role: null,
  priority: 'normal',
  models: null,
  disabled: false,
  bypass: false,
  metadata: {},
  ...draft,
  createdAt: now,
  version: now,
})

/** Throws `ZaelError('invalid_request')` that names the field, where the entity breaks a rule that it can break alone. */
export const checkEntity = (entity: Entity): void => {
  if (!isId(entity.id)) throw invalid('entity_id', ID_RULE)
  checkText('name', entity.name, ENTITY_BOUNDS.nameLength)
  if (!isId(entity.kind)) throw invalid('kind', ID_RULE)
  if (entity.role !== null && !isId(entity.role)) throw invalid('role', ID_RULE)
  if (entity.parentId !== null && !isId(entity.parentId)) throw invalid('parent_id', ID_RULE)
  checkModels(entity.models ?? [])
  checkMetadata(entity.metadata)
}

const checkText = (field: string, text: string, most: number): void => {
  if (text.length === 0 || text.length > most) throw invalid(field, `be 1 to ${most} characters long`)
}

const checkModels = (models: readonly string[]): void => {
  if (models.length > ENTITY_BOUNDS.models)
    throw invalid('models', `hold at most ${ENTITY_BOUNDS.models} ids`)
  const wrong = models.findIndex((id) => !isModelId(id))
  if (wrong >= 0) throw invalid(`models[${wrong}]`, MODEL_ID_RULE)
}

const checkMetadata = (metadata: Readonly<Record<string, string>>): void => {
  const entries = Object.entries(metadata)
  const { metadataEntries, metadataKeyLength, metadataValueLength } = ENTITY_BOUNDS
  if (entries.length > metadataEntries) throw invalid('metadata', `hold at most ${metadataEntries} entries`)
  for (const [key, value] of entries) {
    checkText('metadata', key, metadataKeyLength)
    if (value.length > metadataValueLength) {
      throw invalid(`metadata.${key}`, `be at most ${metadataValueLength} characters long`)
    }
  }
}
