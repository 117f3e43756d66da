export const PRIORITIES = ['high', 'normal', 'low'] as const

export type Priority = (typeof PRIORITIES)[number]

/** A subject of limits: an organization, project, tenant, user, API key or client. */
export interface Entity {
  readonly id: string
  readonly name: string
  /** Any id; `tenant` selects TENANT policies. */
  readonly kind: string
  readonly parentId: string | null
  /** Whether the parents' own limits apply to this entity too. */
  readonly cascade: boolean
  readonly role: string | null
  readonly priority: Priority
  /** The models that it may use; null: all. */
  readonly models: readonly string[] | null
  readonly disabled: boolean
  /** Counted, never limited. */
  readonly bypass: boolean
  readonly metadata: Readonly<Record<string, string>>
  /** ns since the epoch */
  readonly createdAt: bigint
  /** Orders changes, as a limit set's version does: a new role changes which limits apply. */
  readonly version: bigint
}

/** The fields of an entity for which nothing is stated. */
export const ENTITY_DEFAULTS = {
  kind: 'entity',
  parentId: null,
  cascade: true,
  role: null,
  priority: 'normal',
  models: null,
  disabled: false,
  bypass: false,
  metadata: {},
} as const satisfies Partial<Entity>

export const ID_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._:@-]{0,127}$/

export const MODEL_ID_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._:@/-]{0,127}$/

export const RESOURCE_PATTERN = /^([A-Za-z0-9][A-Za-z0-9._:@/-]{0,127}|_(default|other|total)_)$/

/** Resources that a request may name. `_total_` is charged with every request and cannot be requested alone. */
export const CHARGED_PATTERN = /^([A-Za-z0-9][A-Za-z0-9._:@/-]{0,127}|_(default|other)_)$/

/** Ids of entities, keys, roles and selectors. */
export const isId = (value: string): boolean => ID_PATTERN.test(value)

export const isModelId = (value: string): boolean => MODEL_ID_PATTERN.test(value)

/** Resources are model ids and the three special ones. */
export const isResource = (value: string): boolean => RESOURCE_PATTERN.test(value)

export const ID_RULE = 'be 1 to 128 of A-Z a-z 0-9 . _ : @ - and begin with a letter or digit'

export const MODEL_ID_RULE = 'be 1 to 128 of A-Z a-z 0-9 . _ : @ / - and begin with a letter or digit'

export const RESOURCE_RULE = `${MODEL_ID_RULE}, or be _default_, _other_ or _total_`

export const CHARGED_RULE = `${MODEL_ID_RULE}, or be _default_ or _other_; _total_ is charged with every request`

/** The most ancestors of an entity; the admin service rejects a parent that would add more. */
export const MAX_ANCESTORS = 32

/** Reads an entity; at once if it is cached. */
type EntityRead = (id: string) => Promise<Entity | undefined> | Entity | undefined

/**
 * The ancestors of an entity, nearest first, at most `MAX_ANCESTORS`; at once if all reads are. A cycle, which concurrent
 * changes can create, is cut.
 */
export const ancestorsOf = (
  entity: Entity,
  read: EntityRead,
): readonly Entity[] | Promise<readonly Entity[]> => ancestorsAbove([entity], read)

/** The ancestors of the first entity of `chain`; the others are the nearest of them. */
const ancestorsAbove = (
  chain: readonly Entity[],
  read: EntityRead,
): readonly Entity[] | Promise<readonly Entity[]> => {
  const parentId = chain.at(-1)?.parentId ?? null
  if (parentId === null || chain.length > MAX_ANCESTORS || chain.some(({ id }) => id === parentId))
    return chain.slice(1)
  const withParent = (parent: Entity | undefined) =>
    parent === undefined ? chain.slice(1) : ancestorsAbove([...chain, parent], read)
  const parent = read(parentId)
  return parent instanceof Promise ? parent.then(withParent) : withParent(parent)
}

/** The models that an entity and all of its ancestors allow; null: all. */
export const allowedModels = (family: readonly Pick<Entity, 'models'>[]): Entity['models'] =>
  family.reduce<Entity['models']>((allowed, { models }) => {
    if (allowed === null || models === null) return allowed ?? models
    return allowed.filter((id) => models.includes(id))
  }, null)

/** Bounds that keep an entity's item far below DynamoDB's 400 KB. */
export const ENTITY_BOUNDS = {
  nameLength: 256,
  models: 100,
  metadataEntries: 50,
  metadataKeyLength: 128,
  metadataValueLength: 1024,
} as const
