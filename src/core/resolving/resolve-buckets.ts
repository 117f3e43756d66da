import { larger } from '../algorithms/integers.ts'
import { type BucketId, entityBucket } from '../bucket/bucket-id.ts'
import type { LimitInForce } from '../bucket/limit-in-force.ts'
import type { Entity } from '../entity/entity.ts'
import { ZaelError } from '../errors.ts'
import {
  DEFAULT_RESOURCE,
  type Limit,
  type LimitSetKey,
  OTHER_RESOURCE,
  TOTAL_RESOURCE,
} from '../limit/limit.ts'
import type { ConfigReads } from './cached-config.ts'
import { callerKeys, environmentLayer, type Layer, layerOf, limitSetText, ownKeys } from './layers.ts'
import { keepingHeadroom, limitsInForce } from './resolve-limits.ts'

/** One bucket that a decision meets, and the limits to charge it by. */
export interface BucketPlan {
  readonly bucket: BucketId
  /** The entity's id, or `POLICY:<scope>:<selector>`. */
  readonly entityId: string
  readonly resource: string
  readonly limits: readonly LimitInForce[]
  /** Whether it is the caller's own: of the resource that was asked for, or `_total_`. */
  readonly isOwn: boolean
}

/** All buckets that a decision meets, the caller's own on the resource first. */
export interface Resolution {
  readonly entity: Entity
  readonly plans: readonly [BucketPlan, ...BucketPlan[]]
  /** Where the caller's own limits come from, for explanations. */
  readonly layers: readonly Layer[]
}

export interface ResolutionRequest {
  readonly entityId: string
  /** undefined: the bucket `_default_` itself */
  readonly resource: string | undefined
  /** Limits of the environment, for callers that the table knows no default for. */
  readonly defaults: readonly Limit[]
}

/** A chain of parents longer than this is cut, and one that comes back to itself ends there: the admin service makes none. */
const MAX_ANCESTORS = 32

/** Resolves what applies to a request. Throws `ZaelError('not_found')` for an unknown entity. */
export const resolveBuckets = async (reads: ConfigReads, request: ResolutionRequest): Promise<Resolution> => {
  const { entityId, resource = DEFAULT_RESOURCE } = request
  const [entity, model] = await Promise.all([
    reads.entity(entityId),
    isSpecial(resource) ? undefined : reads.model(resource),
  ])
  if (!entity) throw new ZaelError('not_found', `there is no entity ${entityId}`, { field: 'entity_id' })
  const isRegistered = isSpecial(resource) || model !== undefined
  const bindingParents = await parentsOf(reads, entity)
  const layersOf = await readLayers(reads, [
    ...[resource, OTHER_RESOURCE, TOTAL_RESOURCE].flatMap((name) => callerKeys(entity, name)),
    ...bindingParents.flatMap(({ id }) =>
      [resource, OTHER_RESOURCE, TOTAL_RESOURCE].flatMap((name) => ownKeys(id, name)),
    ),
  ])

  const own = onRegistered(resource, isRegistered, (name) => layersOf(callerKeys(entity, name)))
  const ownLayers =
    resource === TOTAL_RESOURCE ? own.layers : [...own.layers, environmentLayer(request.defaults)]
  const plans = [
    ...totalPlans(entity.id, resource, layersOf(callerKeys(entity, TOTAL_RESOURCE)), true, entity.version),
    ...bindingParents.flatMap((parent) => parentPlans(parent.id, resource, isRegistered, layersOf)),
  ]
  const ownPlan = planFor(entity.id, own.resource, ownLayers, true, entity.version)
  const bound = (plan: BucketPlan): BucketPlan => ({
    ...plan,
    limits: keepingHeadroom(plan.limits, entity.priority),
  })
  return { entity, layers: ownLayers, plans: [bound(ownPlan), ...plans.map(bound)] }
}

type LayersOf = (keys: readonly LimitSetKey[]) => readonly Layer[]

/** Reads all sets at once; what it returns picks from them. */
const readLayers = async (reads: ConfigReads, keys: readonly LimitSetKey[]): Promise<LayersOf> => {
  const unique = new Map(keys.map((key) => [limitSetText(key), key]))
  const sets = await reads.limitSets([...unique.values()])
  const layers = new Map([...unique].map(([text, key], index) => [text, layerOf(key, sets[index])]))
  return (wanted) => wanted.flatMap((key) => layers.get(limitSetText(key)) ?? [])
}

/** Entities above this one whose own limits bind it, nearest first. */
const parentsOf = async (reads: ConfigReads, entity: Entity): Promise<readonly Entity[]> => {
  const met = [entity]
  let child = entity
  while (child.cascade && child.parentId !== null && met.length <= MAX_ANCESTORS) {
    const parent = await reads.entity(child.parentId)
    if (!parent || met.some(({ id }) => id === parent.id)) break
    met.push(parent)
    child = parent
  }
  return met.slice(1)
}

/** A resource is registered by a model, or by limits of its own; all others share `_other_`, so that inventing names gains nothing. */
const onRegistered = (
  resource: string,
  isRegistered: boolean,
  layersOn: (resource: string) => readonly Layer[],
) => {
  const layers = layersOn(resource)
  const isLimited = layers.some((layer) => layer.resource === resource && layer.limits.length > 0)
  return isRegistered || isLimited
    ? { resource, layers }
    : { resource: OTHER_RESOURCE, layers: layersOn(OTHER_RESOURCE) }
}

const parentPlans = (
  id: string,
  resource: string,
  isRegistered: boolean,
  layersOf: LayersOf,
): readonly BucketPlan[] => {
  const own = onRegistered(resource, isRegistered, (name) => layersOf(ownKeys(id, name)))
  const plan = planFor(id, own.resource, own.layers, false)
  const total = totalPlans(id, resource, layersOf(ownKeys(id, TOTAL_RESOURCE)), false)
  return plan.limits.length > 0 ? [plan, ...total] : total
}

const totalPlans = (
  id: string,
  resource: string,
  layers: readonly Layer[],
  isOwn: boolean,
  least = 0n,
): readonly BucketPlan[] => {
  const plan = planFor(id, TOTAL_RESOURCE, layers, isOwn, least)
  return resource === TOTAL_RESOURCE || plan.limits.length === 0 ? [] : [plan]
}

const planFor = (
  entityId: string,
  resource: string,
  layers: readonly Layer[],
  isOwn: boolean,
  least = 0n,
): BucketPlan => {
  const version = layers.reduce((greatest, layer) => larger(greatest, layer.version), least)
  return {
    bucket: entityBucket(entityId, resource),
    entityId,
    resource,
    limits: limitsInForce(layers, version),
    isOwn,
  }
}

const isSpecial = (resource: string): boolean =>
  [DEFAULT_RESOURCE, OTHER_RESOURCE, TOTAL_RESOURCE].includes(resource)
