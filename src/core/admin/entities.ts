import {
  ancestorsOf,
  ENTITY_BOUNDS,
  ENTITY_DEFAULTS,
  type Entity,
  ID_RULE,
  isId,
  isModelId,
  MAX_ANCESTORS,
  MODEL_ID_RULE,
  type Priority,
} from '../model/entity.ts'
import { invalid, ZaelError } from '../model/errors.ts'
import { entityToJson } from '../model/json.ts'
import { isTokenEntityId, TOKEN_PREFIX_RULE } from '../model/token-entity.ts'
import type { Page, PageRequest } from '../ports/admin-store.ts'
import { type AdminDependencies, auditRecord, nextVersion, untilUnchanged } from './audit.ts'
import { checkItemPrecondition, type Precondition } from './precondition.ts'

/** The fields of an entity that an administrator may change. */
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

/** The fields of a new entity; `newEntity` sets the defaults of the others. */
export interface EntityDraft extends EntityPatch {
  readonly id: string
  readonly name: string
}

export const newEntity = (draft: EntityDraft, now: bigint): Entity => ({
  ...ENTITY_DEFAULTS,
  ...draft,
  createdAt: now,
  version: now,
})

/** Checks the rules that concern only the entity itself. Throws `ZaelError('invalid_request')` that names the field. */
const checkEntity = (entity: Entity): void => {
  if (!isId(entity.id)) throw invalid('entity_id', ID_RULE)
  requireStorable('entity_id', entity.id)
  checkText('name', entity.name, ENTITY_BOUNDS.nameLength)
  if (!isId(entity.kind)) throw invalid('kind', ID_RULE)
  if (entity.role !== null && !isId(entity.role)) throw invalid('role', ID_RULE)
  if (entity.parentId !== null && !isId(entity.parentId)) throw invalid('parent_id', ID_RULE)
  if (entity.parentId !== null) requireStorable('parent_id', entity.parentId)
  checkModels(entity.models ?? [])
  checkMetadata(entity.metadata)
}

/** Throws `invalid_request` for the id of an entity of a token: its properties are those that the token names. */
export const requireStorable = (field: string, id: string): void => {
  if (isTokenEntityId(id)) throw invalid(field, TOKEN_PREFIX_RULE)
}

const checkText = (field: string, text: string, most: number): void => {
  if (text.length === 0 || text.length > most) throw invalid(field, `be 1 to ${most} characters long`)
}

const checkModels = (models: readonly string[]): void => {
  if (models.length > ENTITY_BOUNDS.models)
    throw invalid('models', `contain at most ${ENTITY_BOUNDS.models} ids`)
  const wrong = models.findIndex((id) => !isModelId(id))
  if (wrong >= 0) throw invalid(`models[${wrong}]`, MODEL_ID_RULE)
}

const checkMetadata = (metadata: Readonly<Record<string, string>>): void => {
  const entries = Object.entries(metadata)
  const { metadataEntries, metadataKeyLength, metadataValueLength } = ENTITY_BOUNDS
  if (entries.length > metadataEntries)
    throw invalid('metadata', `contain at most ${metadataEntries} entries`)
  for (const [key, value] of entries) {
    checkText('metadata', key, metadataKeyLength)
    if (value.length > metadataValueLength) {
      throw invalid(`metadata.${key}`, `be at most ${metadataValueLength} characters long`)
    }
  }
}

/** Creates, changes and deletes entities. All methods throw `StoreUnavailable`. */
export interface EntityService {
  /** Throws `not_found`. */
  get(id: string): Promise<Entity>
  list(page: PageRequest & { readonly q?: string }): Promise<Page<Entity>>
  /** The children's ids. Throws `not_found`. */
  children(id: string): Promise<readonly string[]>
  /** Throws `conflict` if it exists, `invalid_request` for an invalid field, an unknown parent, a cycle or more than 32 ancestors. */
  create(draft: EntityDraft, actor: string): Promise<Entity>
  /** Throws as `create`, `not_found`, and `precondition_failed` as `LimitSetService.replace`. */
  change(id: string, patch: EntityPatch, actor: string, precondition?: Precondition): Promise<Entity>
  /** Throws `not_found`, `conflict` while it has children, and `precondition_failed`. */
  remove(id: string, actor: string, precondition?: Precondition): Promise<void>
}

export const createEntityService = (deps: AdminDependencies): EntityService => ({
  get: (id) => getEntity(deps, id),
  list: (page) => deps.store.listEntities(page),
  children: async (id) => {
    await getEntity(deps, id)
    return deps.store.children(id)
  },
  create: (draft, actor) => createEntity(deps, draft, actor),
  change: (id, patch, actor, precondition = {}) => changeEntity(deps, id, patch, actor, precondition),
  remove: (id, actor, precondition = {}) => removeEntity(deps, id, actor, precondition),
})

/** Throws `not_found`. */
export const getEntity = async ({ store }: Pick<AdminDependencies, 'store'>, id: string): Promise<Entity> => {
  const entity = await store.entity(id)
  if (entity === undefined) throw new ZaelError('not_found', `There is no entity ${id}`)
  return entity
}

const createEntity = async (deps: AdminDependencies, draft: EntityDraft, actor: string): Promise<Entity> => {
  const entity = newEntity(draft, deps.clock.now())
  checkEntity(entity)
  if (entity.parentId !== null) await ancestorsUnder(deps, entity.id, entity.parentId)
  const audit = auditRecord(deps, {
    actor,
    action: 'entity.create',
    subject: entity.id,
    before: null,
    after: entityToJson(entity),
  })
  const outcome = await deps.store.createEntity(entity, audit)
  if (outcome === 'exists') throw new ZaelError('conflict', `There is an entity ${entity.id} already`)
  if (outcome === 'parent_missing') throw unknownParent()
  deps.changed({ entityId: entity.id })
  return entity
}

const changeEntity = (
  deps: AdminDependencies,
  id: string,
  patch: EntityPatch,
  actor: string,
  precondition: Precondition,
): Promise<Entity> =>
  untilUnchanged(async () => {
    requireStorable('entity_id', id)
    const before = await getEntity(deps, id)
    checkItemPrecondition(before, precondition)
    const after: Entity = { ...before, ...patch, version: nextVersion(deps.clock.now(), before.version) }
    checkEntity(after)
    if (after.parentId !== null && after.parentId !== before.parentId) {
      await checkMove(deps, before, after.parentId)
    }
    const audit = auditRecord(deps, {
      actor,
      action: 'entity.change',
      subject: id,
      before: entityToJson(before),
      after: entityToJson(after),
    })
    const outcome = await deps.store.replaceEntity(after, before.version, audit)
    if (outcome === 'parent_missing') throw unknownParent()
    if (outcome === 'changed') return outcome
    deps.changed({ entityId: id })
    return after
  })

const removeEntity = async (
  deps: AdminDependencies,
  id: string,
  actor: string,
  precondition: Precondition,
): Promise<void> => {
  requireStorable('entity_id', id)
  await untilUnchanged(async () => {
    const entity = await getEntity(deps, id)
    checkItemPrecondition(entity, precondition)
    const audit = auditRecord(deps, {
      actor,
      action: 'entity.delete',
      subject: id,
      before: entityToJson(entity),
      after: null,
    })
    const isConditional = precondition.match !== undefined
    const outcome = await deps.store.deleteEntity(entity, audit, isConditional ? entity.version : undefined)
    if (outcome === 'missing') throw new ZaelError('not_found', `There is no entity ${id}`)
    if (outcome === 'has_children') throw new ZaelError('conflict', `${id} has children; delete them first`)
    return outcome
  })
  deps.changed({ entityId: id })
}

/**
 * The number of ancestors that `id` has under `parentId`. Throws if that does not exist, is `id` or one of its descendants, or
 * has too many ancestors of its own.
 */
const ancestorsUnder = async (
  { store }: Pick<AdminDependencies, 'store'>,
  id: string,
  parentId: string,
): Promise<number> => {
  const parent = parentId === id ? undefined : await store.entity(parentId)
  const ancestors = parent === undefined ? [] : [parent, ...(await ancestorsOf(parent, store.entity))]
  if (parentId === id || ancestors.some((ancestor) => ancestor.id === id))
    throw invalid('parent_id', 'not be the entity itself or one of its descendants')
  if (parent === undefined) throw unknownParent()
  if (ancestors.length > MAX_ANCESTORS) throw tooDeep()
  return ancestors.length
}

/** Bounds the reads of a move; the descendants of a larger family are not all checked. */
const MAX_CHECKED = 1000

/** Throws as `ancestorsUnder`, and if a descendant of `entity` would have too many ancestors. */
const checkMove = async (deps: AdminDependencies, entity: Entity, parentId: string): Promise<void> => {
  const { store } = deps
  const ancestors = await ancestorsUnder(deps, entity.id, parentId)
  if (ancestors <= (await ancestorsOf(entity, store.entity)).length) return
  let level: readonly string[] = [entity.id]
  let checked = 0
  for (let depth = ancestors; level.length > 0; depth++) {
    if (depth > MAX_ANCESTORS) throw tooDeep()
    const parents = level.slice(0, MAX_CHECKED - checked)
    checked += parents.length
    level = (await Promise.all(parents.map((id) => store.children(id)))).flat()
  }
}

const tooDeep = (): ZaelError =>
  invalid('parent_id', `leave the entity and its descendants with at most ${MAX_ANCESTORS} ancestors each`)

const unknownParent = (): ZaelError => invalid('parent_id', 'name an entity that exists')
