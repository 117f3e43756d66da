import { policyBucket } from '../bucket/bucket-store.ts'
import { type LimitSetKey, policyLimitSet, TOTAL_RESOURCE } from '../model/limit-set.ts'
import {
  applicablePolicies,
  byPrecedence,
  EVERY_NAME,
  type NamedBucket,
  type NameScope,
  NO_NAME,
  namedBucketKey,
  type PolicyKey,
  type PolicyScope,
  type PolicySubject,
  policyName,
} from '../model/policy.ts'
import { larger } from '../model/time.ts'
import type { ConfigReads } from './config-cache.ts'
import { effectiveLimits, keepingHeadroom } from './effective-limits.ts'
import { type Layer, type LayersOf, readLayers } from './layers.ts'
import type { ApplicableBucket } from './resolution.ts'

/** The set of the policy of all names of a scope: without it, no policy of the scope exists. */
export const everyNameSet = (scope: NameScope): LimitSetKey => policyLimitSet({ scope, selector: EVERY_NAME })

/** A policy that applies if it has limits. */
interface CandidatePolicy {
  readonly scope: PolicyScope
  /** The set of limits that determines it. */
  readonly key: LimitSetKey
  /** The set of the name's own policy, which is read only if the policy of all names has the mark. */
  readonly own?: LimitSetKey
  bucketOf(layersOf: LayersOf): ApplicableBucket
}

/** Most specific first. `tenant`: the owner of the buckets of users and sessions; without it, their policies do not apply. */
export const candidatePolicies = (
  subject: PolicySubject,
  tenant: string | undefined,
): readonly CandidatePolicy[] => {
  const { user = NO_NAME, session = NO_NAME } = subject
  const onNames =
    tenant === undefined
      ? []
      : [
          candidateOnName({ scope: 'SESSION', tenant, name: session }),
          candidateOnName({ scope: 'USER', tenant, name: user }),
        ]
  return [...onNames, ...applicablePolicies(subject).map(candidate)].toSorted((a, b) =>
    byPrecedence(a.scope, b.scope),
  )
}

const candidate = (policy: PolicyKey): CandidatePolicy => {
  const key = policyLimitSet(policy)
  return {
    scope: policy.scope,
    key,
    bucketOf: (layersOf) => bucketOfPolicy(policy, policyName(policy), layersOf([key])),
  }
}

/** A name's own policy overrides the one of all names as a whole. */
const candidateOnName = (bucket: NamedBucket): CandidatePolicy => {
  const { scope, name } = bucket
  const key = everyNameSet(scope)
  const own = name === NO_NAME ? undefined : policyLimitSet({ scope, selector: name })
  return {
    scope,
    key,
    ...(own !== undefined && { own }),
    bucketOf(layersOf) {
      const [nearest = [], every = []] = [own && layersOf([own]), layersOf([key])]
      const hasOwn = nearest.some(({ limits }) => limits.length > 0)
      const entityId = policyName({ scope, selector: hasOwn ? name : EVERY_NAME })
      return bucketOfPolicy(namedBucketKey(bucket), entityId, effectiveLayer([...nearest, ...every]))
    },
  }
}

/** The layers, with those of policies of single names. Names are looked up only if some name has, or had, a policy. */
export const withOwnPolicies = async (
  reads: Pick<ConfigReads, 'limitSets'>,
  policies: readonly CandidatePolicy[],
  layersOf: LayersOf,
): Promise<LayersOf> => {
  const isMarked = ({ key }: CandidatePolicy): boolean => layersOf([key]).some(({ hasNames }) => hasNames)
  const keys = policies.filter(isMarked).flatMap(({ own }) => own ?? [])
  if (keys.length === 0) return layersOf
  const ownLayersOf = await readLayers(reads, keys)
  return (wanted) => [...layersOf(wanted), ...ownLayersOf(wanted)]
}

/**
 * The first layer with limits, with the greatest version of all. It has applied to the name since it was created, or since the
 * nearer ones were deleted.
 */
const effectiveLayer = (layers: readonly Layer[]): readonly Layer[] => {
  const at = layers.findIndex(({ limits }) => limits.length > 0)
  const effective = layers[at]
  if (effective === undefined) return []
  const deleted = layers.slice(0, at).reduce((latest, layer) => larger(latest, layer.version), 0n)
  const version = layers.reduce((greatest, layer) => larger(greatest, layer.version), 0n)
  return [{ ...effective, version, since: larger(effective.since ?? 0n, deleted) }]
}

/** A bucket for each policy that has limits, in the order of `policies`. */
export const policyBuckets = (
  policies: readonly CandidatePolicy[],
  layersOf: LayersOf,
): readonly ApplicableBucket[] =>
  policies.map(({ bucketOf }) => bucketOf(layersOf)).filter(({ limits }) => limits.length > 0)

const bucketOfPolicy = (key: PolicyKey, entityId: string, layers: readonly Layer[]): ApplicableBucket => {
  const limits = effectiveLimits(layers, layers[0]?.version ?? 0n)
  const since = layers[0]?.since
  return {
    id: policyBucket(key),
    entityId,
    resource: TOTAL_RESOURCE,
    limits: since === undefined ? limits : limits.map((limit) => ({ ...limit, since })),
    layers,
    isOwn: false,
  }
}

/**
 * The buckets of all policies that apply to a subject, most specific first. An unregistered model selects none; a given tier
 * takes precedence over the model's. The priority is normal, because there is no entity.
 */
export const resolvePolicies = async (
  reads: ConfigReads,
  { model: modelId, tier, ...rest }: PolicySubject,
): Promise<readonly ApplicableBucket[]> => {
  const model = modelId === undefined ? undefined : await reads.model(modelId)
  const subject = { ...rest, model: model?.id, tier: tier ?? model?.tier ?? undefined }
  const policies = candidatePolicies(subject, rest.tenant ?? rest.apiKey)
  const layersOf = await readLayers(
    reads,
    policies.map(({ key }) => key),
  )
  const buckets = policyBuckets(policies, await withOwnPolicies(reads, policies, layersOf))
  return buckets.map((bucket) => ({ ...bucket, limits: keepingHeadroom(bucket.limits, 'normal') }))
}
