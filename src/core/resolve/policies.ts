import { policyBucket } from '../bucket/bucket-store.ts'
import { policyLimitSet, TOTAL_RESOURCE } from '../model/limit-set.ts'
import { applicablePolicies, type PolicyKey, type PolicySubject, policyName } from '../model/policy.ts'
import type { ConfigReads } from './config-cache.ts'
import { effectiveLimits, keepingHeadroom } from './effective-limits.ts'
import { type LayersOf, readLayers } from './layers.ts'
import type { ApplicableBucket } from './resolution.ts'

/** One bucket for each policy that has limits, in the order of `keys`; `layersOf` holds their sets. */
export const policyBuckets = (keys: readonly PolicyKey[], layersOf: LayersOf): readonly ApplicableBucket[] =>
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
