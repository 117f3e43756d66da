import { policyBucket } from '../bucket/bucket-id.ts'
import { TOTAL_RESOURCE } from '../limit/limit.ts'
import type { BucketPlan } from '../resolving/bucket-plan.ts'
import type { ConfigReads } from '../resolving/cached-config.ts'
import { type LayersOf, readLayers } from '../resolving/read-layers.ts'
import { keepingHeadroom, limitsInForce } from '../resolving/resolve-limits.ts'
import { applicablePolicies, type PolicySubject } from './applicable-policies.ts'
import { policyLimitSet } from './policy.ts'
import { type PolicyKey, policyName } from './policy-key.ts'

/** One bucket for each policy that has limits, in the order of `keys`; `layersOf` holds their sets. */
export const policyPlans = (keys: readonly PolicyKey[], layersOf: LayersOf): readonly BucketPlan[] =>
  keys.map((key) => policyPlan(key, layersOf)).filter(({ limits }) => limits.length > 0)

const policyPlan = (key: PolicyKey, layersOf: LayersOf): BucketPlan => {
  const layers = layersOf([policyLimitSet(key)])
  return {
    bucket: policyBucket(key),
    entityId: policyName(key),
    resource: TOTAL_RESOURCE,
    limits: limitsInForce(layers, layers[0]?.version ?? 0n),
    layers,
    isOwn: false,
  }
}

/**
 * The buckets of all policies that apply to a request, most specific first, whatever entity asks. A model that is not
 * registered picks none; a tier that is given wins over the model's. Nothing is known of a priority, so it is a normal one.
 */
export const resolvePolicies = async (
  reads: ConfigReads,
  { model: modelId, tier, ...subject }: PolicySubject,
): Promise<readonly BucketPlan[]> => {
  const model = modelId === undefined ? undefined : await reads.model(modelId)
  const keys = applicablePolicies({ ...subject, model: model?.id, tier: tier ?? model?.tier ?? undefined })
  const plans = policyPlans(keys, await readLayers(reads, keys.map(policyLimitSet)))
  return plans.map((plan) => ({ ...plan, limits: keepingHeadroom(plan.limits, 'normal') }))
}
