import type * as v from 'valibot'
import { alertBody, alertDraftOf } from '../contract/alerts.ts'
import type { ConfiguredKind, configuredResponse } from '../contract/configuration.ts'
import type { Declaration } from '../contract/declaration.ts'
import { entityPatchBody } from '../contract/entities.ts'
import { limitList } from '../contract/limit-sizes.ts'
import { modelBody, modelDraftOf } from '../contract/models.ts'
import {
  alertNotation,
  entityNotation,
  limitsNotation,
  modelNotation,
  upstreamNotation,
} from '../contract/notation.ts'
import { parse } from '../contract/parse.ts'
import { upstreamBody, upstreamDraftOf } from '../contract/upstreams.ts'
import { ENTITY_DEFAULTS } from '../core/model/entity.ts'
import type { JsonObject, JsonValue } from '../core/model/json.ts'
import type { Limit } from '../core/model/limit.ts'

/** One thing that administrators set: an upstream, a model, an entity, a set of limits. */
export interface Item {
  readonly kind: ConfiguredKind
  /** Unique within the kind; of a set of limits `<owner>/<resource>`. */
  readonly id: string
  /** In the shortest notation, so that two items are equal if their values are. */
  readonly value: JsonValue
}

/** An item as zael has it. */
export interface StoredItem extends Item {
  readonly etag: string
  /** The environment of zael sets it. */
  readonly isFixed: boolean
}

/** An item as a file declares it. */
export interface DeclaredItem extends Item {
  /** Where the file declares it. */
  readonly path: readonly string[]
  /** It must not exist: an empty list of limits. */
  readonly isAbsent?: true
  /** Fields that stay as they are. */
  readonly keeps?: readonly string[]
}

/** The contents of a file as items. */
export interface DeclaredItems {
  readonly items: readonly DeclaredItem[]
  /** The mappings that the file contains (`scopeOf`): only of these does `--prune` delete what is not in the file. */
  readonly scopes: ReadonlySet<string>
}

export const keyOf = ({ kind, id }: Pick<Item, 'kind' | 'id'>): string => `${kind} ${id}`

/** The owner and the resource of a set of limits; no owner contains a `/`. */
export const splitId = (id: string): readonly [owner: string, resource: string] => {
  const at = id.indexOf('/')
  return [id.slice(0, at), id.slice(at + 1)]
}

/** The mapping of the file that would contain an item. */
export const scopeOf = ({ kind, id }: Pick<Item, 'kind' | 'id'>): string => {
  if (kind === 'limits') return `limits ${splitId(id)[0]}`
  if (kind === 'defaults') return splitId(id)[0] === '' ? 'defaults.system' : 'defaults.roles'
  return kind
}

/** The fields of an item that is no list. */
export const fieldsOf = (value: JsonValue | undefined): JsonObject =>
  typeof value === 'object' && value !== null && !isList(value) ? value : {}

export const isList = (value: JsonValue): value is readonly JsonValue[] => Array.isArray(value)

/** The order of keys: by code units, as in the table. */
export const byText = (a: string, b: string): number => {
  if (a === b) return 0
  return a < b ? -1 : 1
}

const entriesOf = <T>(mapping: Readonly<Record<string, T>> | undefined): readonly (readonly [string, T])[] =>
  Object.entries(mapping ?? {}).sort(([a], [b]) => byText(a, b))

/** The items of a file. */
export const declaredItems = (file: Declaration): DeclaredItems => {
  const { upstreams, models, entities, policies, alerts, defaults: { system, roles } = {} } = file
  const items: DeclaredItem[] = [
    ...entriesOf(upstreams).map(([name, body]) => ({
      ...{ kind: 'upstream' as const, id: name, path: ['upstreams', name] },
      value: upstreamNotation(upstreamDraftOf(body)),
    })),
    ...entriesOf(models).map(([id, body]) => ({
      ...{ kind: 'model' as const, id, path: ['models', id] },
      value: modelNotation(id, modelDraftOf(body)),
    })),
    ...setsOf('defaults', '', system, ['defaults', 'system']),
    ...entriesOf(roles).flatMap(([role, sets]) =>
      setsOf('defaults', role, sets, ['defaults', 'roles', role]),
    ),
    ...entriesOf(entities).map(([id, entry]) => declaredEntity(id, entry)),
    ...entriesOf(entities).flatMap(([id, { limits }]) =>
      setsOf('limits', id, limits, ['entities', id, 'limits']),
    ),
    ...entriesOf(policies).map(([path, limits]) => ({
      ...{ kind: 'policy' as const, id: path, path: ['policies', path] },
      value: limitsNotation(limits),
    })),
    ...entriesOf(alerts).map(([name, body]) => ({
      ...{ kind: 'alert' as const, id: name, path: ['alerts', name] },
      value: alertNotation(alertDraftOf(body)),
    })),
  ]
  return { items, scopes: scopesOf(file) }
}

const setsOf = (
  kind: 'defaults' | 'limits',
  owner: string,
  sets: Readonly<Record<string, readonly Limit[]>> | undefined,
  path: readonly string[],
): readonly DeclaredItem[] =>
  entriesOf(sets).map(([resource, limits]) => ({
    kind,
    id: `${owner}/${resource}`,
    path: [...path, resource],
    value: limitsNotation(limits),
    ...(limits.length === 0 && { isAbsent: true as const }),
  }))

type EntityEntry = NonNullable<Declaration['entities']>[string]

/**
 * An entity that does not state `disabled` stays disabled: applying a file must not enable again what somebody has disabled in
 * an emergency.
 */
const declaredEntity = (id: string, entry: EntityEntry): DeclaredItem => ({
  kind: 'entity',
  id,
  path: ['entities', id],
  value: entityValue(id, entry),
  ...(entry.disabled === undefined && { keeps: ['disabled'] }),
})

const entityValue = (id: string, entry: Omit<EntityEntry, 'limits'>): JsonObject => {
  const { name = id, parent_id: parentId = null, kind, cascade, role, priority, models, metadata } = entry
  return entityNotation({
    ...ENTITY_DEFAULTS,
    id,
    name,
    parentId,
    ...(kind !== undefined && { kind }),
    ...(cascade !== undefined && { cascade }),
    ...(role !== undefined && { role }),
    ...(priority !== undefined && { priority }),
    ...(models !== undefined && { models }),
    ...(metadata !== undefined && { metadata }),
    ...(entry.disabled !== undefined && { disabled: entry.disabled }),
    ...(entry.bypass !== undefined && { bypass: entry.bypass }),
  })
}

const scopesOf = ({ defaults, entities, ...others }: Declaration): ReadonlySet<string> =>
  new Set([
    ...(others.upstreams ? ['upstream'] : []),
    ...(others.models ? ['model'] : []),
    ...(defaults?.system ? ['defaults.system'] : []),
    ...(defaults?.roles ? ['defaults.roles'] : []),
    ...(entities ? ['entity'] : []),
    ...entriesOf(entities).flatMap(([id, { limits }]) => (limits ? [`limits ${id}`] : [])),
    ...(others.policies ? ['policy'] : []),
    ...(others.alerts ? ['alert'] : []),
  ])

/** An item of `GET /api/configuration`. */
export type ConfiguredItem = v.InferOutput<typeof configuredResponse>

/**
 * An item as zael reports it. Throws `ZaelError('invalid_request')` for a setting that this version does not know: it would be
 * lost with the next change.
 */
export const storedItem = ({ kind, id, value, etag, fixed }: ConfiguredItem): StoredItem => ({
  kind,
  id,
  value: NOTATIONS[kind](id, value),
  etag,
  isFixed: fixed,
})

const limitSet = (id: string, value: unknown): JsonValue => limitsNotation(parse(limitList, value, id))

const NOTATIONS: Readonly<Record<ConfiguredKind, (id: string, value: unknown) => JsonValue>> = {
  upstream: (name, value) => upstreamNotation(upstreamDraftOf(parse(upstreamBody, value, name))),
  model: (id, value) => modelNotation(id, modelDraftOf(parse(modelBody, value, id))),
  defaults: limitSet,
  entity: (id, value) => entityValue(id, parse(entityPatchBody, value, id)),
  limits: limitSet,
  policy: limitSet,
  alert: (name, value) => alertNotation(alertDraftOf(parse(alertBody, value, name))),
}
