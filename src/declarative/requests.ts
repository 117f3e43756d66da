import { isDeepStrictEqual } from 'node:util'
import { entityPatchBody } from '../contract/entities.ts'
import { ENTITY_DEFAULTS } from '../core/model/entity.ts'
import type { JsonObject, JsonValue } from '../core/model/json.ts'
import { fieldsOf, splitId } from './items.ts'
import type { Change } from './plan.ts'

/** A request to the API. */
export interface ChangeRequest {
  readonly method: 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** The segments below the URL of the API. */
  readonly path: readonly string[]
  readonly query?: Readonly<Record<string, string>>
  readonly body?: JsonObject
  /** The ETag on which the change is based. `previous`: that of the response to the request before. */
  readonly ifMatch?: string | { readonly previous: true }
  /** Nothing may be there yet. */
  readonly ifNoneMatch?: '*'
}

/** The requests that make a change, in order. */
export const requestsOf = (change: Change): readonly ChangeRequest[] =>
  change.kind === 'entity' ? entityRequests(change) : [putOrDelete(change)]

const putOrDelete = (change: Change): ChangeRequest => {
  const condition = change.etag === null ? { ifNoneMatch: '*' as const } : { ifMatch: change.etag }
  if (change.kind === 'defaults') {
    // there is no DELETE: a set without limits is the same as none
    const limits = change.does === 'delete' ? [] : change.after
    return { method: 'PUT', ...placeOf(change), body: { limits }, ...condition }
  }
  if (change.does === 'delete') return { method: 'DELETE', ...placeOf(change), ...condition }
  return { method: 'PUT', ...placeOf(change), body: bodyOf(change.kind, change.after), ...condition }
}

const bodyOf = (kind: Change['kind'], value: JsonValue): JsonObject =>
  kind === 'limits' || kind === 'policy' ? { limits: value } : fieldsOf(value)

const COLLECTIONS = {
  upstream: 'upstreams',
  model: 'models',
  entity: 'entities',
  policy: 'policies',
  alert: 'alerts',
} as const

type Place = Pick<ChangeRequest, 'path' | 'query'>

const placeOf = ({ kind, id }: Pick<Change, 'kind' | 'id'>): Place => {
  // ids of models and selectors may contain `/`
  if (kind !== 'limits' && kind !== 'defaults') return { path: ['api', COLLECTIONS[kind], ...id.split('/')] }
  const [owner, resource] = splitId(id)
  if (kind === 'limits') return { path: ['api', 'limits', owner], query: { resource } }
  return { path: ['api', 'defaults'], query: { resource, ...(owner !== '' && { role: owner }) } }
}

const entityRequests = ({ does, kind, id, before, after, etag }: Change): readonly ChangeRequest[] => {
  const { path } = placeOf({ kind, id })
  if (does === 'delete') return [{ method: 'DELETE', path, ifMatch: etag }]
  if (does === 'change') return [{ method: 'PATCH', path, body: patchOf(id, before, after), ifMatch: etag }]
  const { disabled, bypass, name = id, ...fields } = fieldsOf(after)
  const create: ChangeRequest = {
    method: 'POST',
    path: ['api', COLLECTIONS.entity],
    body: { entity_id: id, name, ...fields },
  }
  // a new entity is neither: it has no keys yet
  const switches = { ...(disabled && { disabled }), ...(bypass && { bypass }) }
  if (Object.keys(switches).length === 0) return [create]
  return [create, { method: 'PATCH', path, body: switches, ifMatch: { previous: true } }]
}

/** What a field is set to that a notation leaves out. */
const unstated = (id: string): JsonObject => {
  const { parentId, ...defaults } = ENTITY_DEFAULTS
  return { name: id, parent_id: parentId, ...defaults }
}

/** The fields of an entity that differ. */
const patchOf = (id: string, before: JsonValue, after: JsonValue): JsonObject => {
  const [old, next] = [before, after].map((value) => ({ ...unstated(id), ...fieldsOf(value) }))
  return Object.fromEntries(
    Object.keys(entityPatchBody.entries).flatMap((field) => {
      const value = next?.[field]
      return value === undefined || isDeepStrictEqual(old?.[field], value) ? [] : [[field, value] as const]
    }),
  )
}
