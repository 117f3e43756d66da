import { entityBucket, policyBucket } from '../bucket/bucket-store.ts'
import type { Entity } from '../model/entity.ts'
import { ZaelError } from '../model/errors.ts'
import type { Limit } from '../model/limit.ts'
import { DEFAULT_RESOURCE, OTHER_RESOURCE, policyLimitSet, TOTAL_RESOURCE } from '../model/limit-set.ts'
import type { Model } from '../model/model.ts'
import {
  applicablePolicies,
  type PolicyContext,
  type PolicyKey,
  type PolicySubject,
  policyName,
} from '../model/policy.ts'
import { larger } from '../model/time.ts'
import type { ConfigReads } from './config-cache.ts'
import { effectiveLimits, keepingHeadroom } from './effective-limits.ts'
import { callerKeys, environmentLayer, type Layer, type LayersOf, ownKeys, readLayers } from './layers.ts'
import type { ApplicableBucket, Resolution } from './resolution.ts'

/** All buckets that a decision meets, the caller's own on the resource first. */
export interface EntityResolution extends Resolution {
  readonly entity: Entity
  readonly buckets: readonly [ApplicableBucket, ...ApplicableBucket[]]
}

/** What to resolve for. */
export interface ResolutionTarget {
  readonly entityId: string
  /** undefined: the bucket `_default_` itself */
  readonly resource?: string | undefined
  readonly user?: string | undefined
  /** What policies are selected by, instead of the entity and the resource. */
  readonly context?: PolicyContext | undefined
}

export interface ResolutionRequest extends ResolutionTarget {
  /** Limits of the environment, for callers that the table knows no default for. */
  readonly defaults: readonly Limit[]
}

/** Resolves what applies to a request. Throws `ZaelError('not_found')` for an unknown entity. */
export const resolveBuckets = async (
  reads: ConfigReads,
  request: ResolutionRequest,
): Promise<EntityResolution> => {
  const { entityId, resource = DEFAULT_RESOURCE } = request
  const [entity, model] = await Promise.all([
    reads.entity(entityId),
    isSpecial(resource) ? undefined : reads.model(resource),
  ])
  if (!entity) throw new ZaelError('not_found', `there is no entity ${entityId}`, { field: 'entity_id' })
  const isRegistered = isSpecial(resource) || model !== undefined
  const ancestors = await ancestorsOf(reads, entity)
  const parents = bindingParents(entity, ancestors)
  const policies = applicablePolicies(await policySubject(reads, request, { entity, ancestors, model }))
  const layersOf = await readLayers(reads, [
    ...[resource, OTHER_RESOURCE, TOTAL_RESOURCE].flatMap((name) => callerKeys(entity, name)),
    ...parents.flatMap(({ id }) =>
      [resource, OTHER_RESOURCE, TOTAL_RESOURCE].flatMap((name) => ownKeys(id, name)),
    ),
    ...policies.map(policyLimitSet),
  ])

  const own = onRegistered(resource, isRegistered, (name) => layersOf(callerKeys(entity, name)))
  const ownLayers =
    resource === TOTAL_RESOURCE ? own.layers : [...own.layers, environmentLayer(request.defaults)]
  const plans = [
    ...totalBuckets(entity.id, resource, layersOf(callerKeys(entity, TOTAL_RESOURCE)), true, entity.version),
    ...parents.flatMap((parent) => parentBuckets(parent.id, resource, isRegistered, layersOf)),
    ...policyBuckets(policies, layersOf),
  ]
  const ownPlan = bucketOf(entity.id, own.resource, ownLayers, true, entity.version)
  const bound = (plan: ApplicableBucket): ApplicableBucket => ({
    ...plan,
    limits: keepingHeadroom(plan.limits, entity.priority),
  })
  return { entity, buckets: [bound(ownPlan), ...plans.map(bound)] }
}

interface Known {
  readonly entity: Entity
  readonly ancestors: readonly Entity[]
  /** Of the resource. */
  readonly model: Model | undefined
}

/** What policies are selected by: the context, else the entity and the resource. */
const policySubject = async (
  reads: ConfigReads,
  { user, context = {} }: ResolutionRequest,
  known: Known,
): Promise<PolicySubject> => {
  const model = context.model === undefined ? known.model : await reads.model(context.model)
  return {
    user,
    apiKey: known.entity.id,
    tenant: context.tenant ?? tenantOf(known.entity, known.ancestors),
    model: model?.id,
    tier: context.tier ?? model?.tier ?? undefined,
  }
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

/** Only buckets with limits: one without can deny nothing, and its counts are the sum of those of the children. */
const parentBuckets = (
  id: string,
  resource: string,
  isRegistered: boolean,
  layersOf: LayersOf,
): readonly ApplicableBucket[] => {
  const own = onRegistered(resource, isRegistered, (name) => layersOf(ownKeys(id, name)))
  const plan = bucketOf(id, own.resource, own.layers, false)
  const total = totalBuckets(id, resource, layersOf(ownKeys(id, TOTAL_RESOURCE)), false)
  return plan.limits.length > 0 ? [plan, ...total] : total
}

const totalBuckets = (
  id: string,
  resource: string,
  layers: readonly Layer[],
  isOwn: boolean,
  least = 0n,
): readonly ApplicableBucket[] => {
  const plan = bucketOf(id, TOTAL_RESOURCE, layers, isOwn, least)
  return resource === TOTAL_RESOURCE || plan.limits.length === 0 ? [] : [plan]
}

const bucketOf = (
  entityId: string,
  resource: string,
  layers: readonly Layer[],
  isOwn: boolean,
  least = 0n,
): ApplicableBucket => {
  const version = layers.reduce((greatest, layer) => larger(greatest, layer.version), least)
  return {
    id: entityBucket(entityId, resource),
    entityId,
    resource,
    limits: effectiveLimits(layers, version),
    layers,
    isOwn,
  }
}

const isSpecial = (resource: string): boolean =>
  [DEFAULT_RESOURCE, OTHER_RESOURCE, TOTAL_RESOURCE].includes(resource)

/** A chain of parents longer than this is cut, and one that comes back to itself ends there: the admin service makes none. */
const MAX_ANCESTORS = 32

/** Entities above this one, nearest first. */
const ancestorsOf = async (
  reads: Pick<ConfigReads, 'entity'>,
  entity: Entity,
): Promise<readonly Entity[]> => {
  const met = [entity]
  let child = entity
  while (child.parentId !== null && met.length <= MAX_ANCESTORS) {
    const parent = await reads.entity(child.parentId)
    if (!parent || met.some(({ id }) => id === parent.id)) break
    met.push(parent)
    child = parent
  }
  return met.slice(1)
}

/** Those of its ancestors whose own limits bind an entity: up to the first that does not cascade. */
const bindingParents = (entity: Entity, ancestors: readonly Entity[]): readonly Entity[] => {
  const last = [entity, ...ancestors].findIndex(({ cascade }) => !cascade)
  return last < 0 ? ancestors : ancestors.slice(0, last)
}

/** The tenant whose policy binds an entity: itself or its nearest ancestor of kind `tenant`, cascading or not. */
const tenantOf = (entity: Entity, ancestors: readonly Entity[]): string | undefined =>
  [entity, ...ancestors].find(({ kind }) => kind === 'tenant')?.id

/** One bucket for each policy that has limits, in the order of `keys`; `layersOf` holds their sets. */
const policyBuckets = (keys: readonly PolicyKey[], layersOf: LayersOf): readonly ApplicableBucket[] =>
  keys.map((key) => policyPlan(key, layersOf)).filter(({ limits }) => limits.length > 0)

const policyPlan = (key: PolicyKey, layersOf: LayersOf): ApplicableBucket => {
  const layers = layersOf([policyLimitSet(key)])
  return {
    id: policyBucket(key),
    entityId: policyName(key),
    resource: TOTAL_RESOURCE,
    limits: effectiveLimits(layers, layers[0]?.version ?? 0n),
    layers,
    isOwn: false,
  }
}

/**
 * The buckets of all policies that apply to a request, most specific first, whatever its entity. A model that is not registered
 * selects none; a given tier wins over the model's. Without an entity the priority is normal.
 */
export const resolvePolicies = async (
  reads: ConfigReads,
  { model: modelId, tier, ...subject }: PolicySubject,
): Promise<readonly ApplicableBucket[]> => {
  const model = modelId === undefined ? undefined : await reads.model(modelId)
  const keys = applicablePolicies({ ...subject, model: model?.id, tier: tier ?? model?.tier ?? undefined })
  const plans = policyBuckets(keys, await readLayers(reads, keys.map(policyLimitSet)))
  return plans.map((plan) => ({ ...plan, limits: keepingHeadroom(plan.limits, 'normal') }))
}
