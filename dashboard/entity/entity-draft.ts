import type { Entity } from '../api/responses.ts'

export const PRIORITIES = ['high', 'normal', 'low'] as const

/** The state of the form. */
export interface EntityDraft {
  readonly id: string
  readonly name: string
  readonly kind: string
  readonly parentId: string
  readonly role: string
  readonly priority: string
  /** Ids separated by commas; empty for all models. */
  readonly models: string
  readonly cascade: boolean
  readonly disabled: boolean
  readonly bypass: boolean
}

export const newEntityDraft = (parentId: string): EntityDraft => ({
  id: '',
  name: '',
  kind: parentId === '' ? 'project' : 'key',
  parentId,
  role: '',
  priority: 'normal',
  models: '',
  cascade: true,
  disabled: false,
  bypass: false,
})

export const entityDraftOf = (entity: Entity): EntityDraft => ({
  id: entity.entity_id,
  name: entity.name,
  kind: entity.kind,
  parentId: entity.parent_id ?? '',
  role: entity.role ?? '',
  priority: entity.priority,
  models: entity.models?.join(', ') ?? '',
  cascade: entity.cascade,
  disabled: entity.disabled,
  bypass: entity.bypass,
})

/** The body of `POST /api/entities`. */
export const newEntityBody = (draft: EntityDraft) => {
  const { disabled: _, bypass: __, ...fields } = fieldsOf(draft)
  return { entity_id: draft.id.trim(), ...fields }
}

/**
 * The body of `PATCH /api/entities/{id}`: only the fields that differ, so that concurrent changes of other
 * fields are kept.
 */
export const entityPatch = (entity: Entity, draft: EntityDraft): Readonly<Record<string, unknown>> => {
  const before: Readonly<Record<string, unknown>> = fieldsOf(entityDraftOf(entity))
  return Object.fromEntries(
    Object.entries(fieldsOf(draft)).filter(
      ([name, value]) => JSON.stringify(value) !== JSON.stringify(before[name]),
    ),
  )
}

const fieldsOf = (draft: EntityDraft) => {
  const models = draft.models
    .split(/[\s,]+/)
    .map((id) => id.trim())
    .filter((id) => id !== '')
  return {
    name: draft.name.trim(),
    kind: draft.kind.trim(),
    parent_id: draft.parentId.trim() || null,
    role: draft.role.trim() || null,
    priority: draft.priority,
    models: models.length === 0 ? null : models,
    cascade: draft.cascade,
    disabled: draft.disabled,
    bypass: draft.bypass,
  }
}
