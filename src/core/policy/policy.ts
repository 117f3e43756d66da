import { type Limit, type LimitSetKey, TOTAL_RESOURCE } from '../limit/limit.ts'
import type { PolicyKey } from './policy-key.ts'

/** Limits attached to a scope and selector. All requests that it applies to share one bucket, over all resources. */
export interface Policy {
  readonly key: PolicyKey
  readonly limits: readonly Limit[]
}

/** Where a policy's limits are kept. */
export const policyLimitSet = ({ scope, selector }: PolicyKey): LimitSetKey => ({
  owner: { kind: 'policy', scope, selector },
  resource: TOTAL_RESOURCE,
})
