import type { AlertedBucket } from '../model/alert.ts'
import { type LimitSetKey, policyLimitSet } from '../model/limit-set.ts'
import { type Meter, meterOfName, shownMeter } from '../model/meter.ts'
import { EVERY_NAME, isNameScope, nameOf, type PolicyKey } from '../model/policy.ts'
import type { ConfigStore } from '../ports/config-store.ts'
import { callerKeys } from './layers.ts'

/** The meter of a limit in a bucket. */
export type MeterLookup = (
  bucket: Pick<AlertedBucket, 'entityId' | 'policy' | 'resource'>,
  limitName: string,
) => Promise<Meter | null>

/**
 * Buckets contain no meters, so the configuration of now is read: two reads. Null if the limit has been removed since and its
 * name is not a usual one. Throws `StoreUnavailable`.
 */
export const createMeterLookup = (config: Pick<ConfigStore, 'entity' | 'limitSets'>): MeterLookup => {
  const keysOf = async ({
    entityId,
    policy,
    resource,
  }: Parameters<MeterLookup>[0]): Promise<readonly LimitSetKey[]> => {
    if (policy !== null) return policiesOf(policy).map(policyLimitSet)
    const entity = entityId === null ? undefined : await config.entity(entityId)
    return entity === undefined ? [] : callerKeys(entity, resource)
  }
  return async (bucket, limitName) => {
    const sets = await config.limitSets(await keysOf(bucket))
    const limits = sets.flatMap((set) => set?.limits ?? [])
    const found = limits.find(({ name }) => name === limitName)
    return found ? shownMeter(found.meter) : (meterOfName(limitName) ?? null)
  }
}

/** The policies whose limits a policy's bucket may have: that of a name is of its own policy, or of the one for every name. */
const policiesOf = (bucket: PolicyKey): readonly PolicyKey[] =>
  isNameScope(bucket.scope)
    ? [nameOf(bucket), EVERY_NAME].map((selector) => ({ scope: bucket.scope, selector }))
    : [bucket]
