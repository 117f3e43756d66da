import { entityBucket } from '../bucket/bucket-store.ts'
import { ancestorsOf, type Entity } from '../model/entity.ts'
import { ZaelError } from '../model/errors.ts'
import type { Limit } from '../model/limit.ts'
import { DEFAULT_RESOURCE, OTHER_RESOURCE, TOTAL_RESOURCE } from '../model/limit-set.ts'
import type { Model } from '../model/model.ts'
import type { PolicyContext, PolicySubject } from '../model/policy.ts'
import { larger } from '../model/time.ts'
import type { ConfigReads } from './config-cache.ts'
import { effectiveLimits, keepingHeadroom } from './effective-limits.ts'
import { callerKeys, environmentLayer, type Layer, type LayersOf, ownKeys, readLayers } from './layers.ts'
import { candidatePolicies, policyBuckets, withOwnPolicies } from './policy-buckets.ts'
import type { ApplicableBucket, Resolution } from './resolution.ts'

/** All buckets that a request charges; the first is the caller's own bucket of the resource. */
export interface EntityResolution extends Resolution {
  readonly entity: Entity
  readonly buckets: readonly [ApplicableBucket, ...ApplicableBucket[]]
}

/** The properties of a request that determine its buckets. */
export interface ResolutionTarget {
  readonly entityId: string
  /** The entity itself if it is not stored but named by a token, which may name another role or parent than others do. */
  readonly entity?: Entity | undefined
  /** undefined: the bucket `_default_` itself */
  readonly resource?: string | undefined
  /** An id. */
  readonly user?: string | undefined
  /** An id. */
  readonly session?: string | undefined
  /** Selects policies, instead of the entity and the resource. */
  readonly context?: PolicyContext | undefined
}

export interface ResolutionRequest extends ResolutionTarget {
  /** The limits of the environment, for callers without a default in the table. */
  readonly defaults: readonly Limit[]
}

/** Resolves the buckets and limits that apply to a request. Throws `ZaelError('not_found')` for an unknown entity. */
export const resolveBuckets = async (
  reads: ConfigReads,
  request: ResolutionRequest,
): Promise<EntityResolution> => {
  const { entityId, resource = DEFAULT_RESOURCE } = request
  const [entity, model] = await Promise.all([
    request.entity ?? reads.entity(entityId),
    isSpecial(resource) ? undefined : reads.model(resource),
  ])
  if (!entity) throw new ZaelError('not_found', `there is no entity ${entityId}`, { field: 'entity_id' })
  const isRegistered = isSpecial(resource) || model !== undefined
  const ancestors = await ancestorsOf(entity, reads.entity)
  const parents = cascadingParents(entity, ancestors)
  const subject = await policySubject(reads, request, { entity, ancestors, model })
  const tenant = subject.tenant ?? ancestors.at(-1)?.id ?? entity.id
  const policies = candidatePolicies(subject, tenant)
  const layersOf = await readLayers(reads, [
    ...[resource, OTHER_RESOURCE, TOTAL_RESOURCE].flatMap((name) => callerKeys(entity, name)),
    ...parents.flatMap(({ id }) =>
      [resource, OTHER_RESOURCE, TOTAL_RESOURCE].flatMap((name) => ownKeys(id, name)),
    ),
    ...policies.map(({ key }) => key),
  ])

  const own = onRegistered(resource, isRegistered, (name) => layersOf(callerKeys(entity, name)))
  const ownLayers =
    resource === TOTAL_RESOURCE ? own.layers : [...own.layers, environmentLayer(request.defaults)]
  const others = [
    ...totalBuckets(entity.id, resource, layersOf(callerKeys(entity, TOTAL_RESOURCE)), true, entity.version),
    ...parents.flatMap((parent) => parentBuckets(parent.id, resource, isRegistered, layersOf)),
    ...policyBuckets(policies, await withOwnPolicies(reads, policies, layersOf)),
  ]
  const ownBucket = bucketOf(entity.id, own.resource, ownLayers, true, entity.version)
  const withHeadroom = (bucket: ApplicableBucket): ApplicableBucket => ({
    ...bucket,
    limits: keepingHeadroom(bucket.limits, entity.priority),
  })
  return { entity, buckets: [withHeadroom(ownBucket), ...others.map(withHeadroom)] }
}

interface Known {
  readonly entity: Entity
  readonly ancestors: readonly Entity[]
  /** Of the resource. */
  readonly model: Model | undefined
}

/** The properties that select policies: those of the context, or else of the entity and the resource. */
const policySubject = async (
  reads: ConfigReads,
  { user, session, context = {} }: ResolutionRequest,
  known: Known,
): Promise<PolicySubject> => {
  const model = context.model === undefined ? known.model : await reads.model(context.model)
  return {
    user,
    session,
    apiKey: known.entity.id,
    tenant: context.tenant ?? tenantOf(known.entity, known.ancestors),
    model: model?.id,
    tier: context.tier ?? model?.tier ?? undefined,
  }
}

/** A model, or limits of its own, register a resource; all others share `_other_`, so that inventing names gains nothing. */
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

/** Only buckets with limits: one without denies nothing, and its counts would be the sum of its children's. */
const parentBuckets = (
  id: string,
  resource: string,
  isRegistered: boolean,
  layersOf: LayersOf,
): readonly ApplicableBucket[] => {
  const own = onRegistered(resource, isRegistered, (name) => layersOf(ownKeys(id, name)))
  const bucket = bucketOf(id, own.resource, own.layers, false)
  const total = totalBuckets(id, resource, layersOf(ownKeys(id, TOTAL_RESOURCE)), false)
  return bucket.limits.length > 0 ? [bucket, ...total] : total
}

const totalBuckets = (
  id: string,
  resource: string,
  layers: readonly Layer[],
  isOwn: boolean,
  least = 0n,
): readonly ApplicableBucket[] => {
  const bucket = bucketOf(id, TOTAL_RESOURCE, layers, isOwn, least)
  return resource === TOTAL_RESOURCE || bucket.limits.length === 0 ? [] : [bucket]
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

/** The ancestors whose limits apply to an entity: up to the first entity that does not cascade. */
const cascadingParents = (entity: Entity, ancestors: readonly Entity[]): readonly Entity[] => {
  const last = [entity, ...ancestors].findIndex(({ cascade }) => !cascade)
  return last < 0 ? ancestors : ancestors.slice(0, last)
}

/** The tenant whose policies apply to an entity: itself or its nearest ancestor of kind `tenant`, regardless of `cascade`. */
const tenantOf = (entity: Entity, ancestors: readonly Entity[]): string | undefined =>
  [entity, ...ancestors].find(({ kind }) => kind === 'tenant')?.id
