import type { AdminDependencies } from '../admin/admin-dependencies.ts'
import { createLimitSetService } from '../admin/limit-set-service.ts'
import { invalid, ZaelError } from '../errors.ts'
import type { Limit } from '../limit/limit.ts'
import type { Page, PageRequest } from '../ports/admin-store.ts'
import { type Policy, policyLimitSet } from './policy.ts'
import { type PolicyKey, policyLabel } from './policy-key.ts'

/** Policies, as administrators set them. All methods throw `StoreUnavailable`. */
export interface PolicyService {
  list(page: PageRequest): Promise<Page<Policy>>
  /** Throws `not_found`. */
  get(key: PolicyKey): Promise<Policy>
  /** Puts `limits` in place of what there was. Throws `invalid_request` where there are none. */
  put(
    key: PolicyKey,
    limits: readonly Limit[],
    actor: string,
  ): Promise<{ readonly policy: Policy; readonly created: boolean }>
  /** Throws `not_found`. */
  remove(key: PolicyKey, actor: string): Promise<void>
}

export const createPolicyService = (deps: AdminDependencies): PolicyService => {
  const sets = createLimitSetService(deps)
  const limitsOf = (key: PolicyKey): Promise<readonly Limit[]> => sets.get(policyLimitSet(key))
  const existing = async (key: PolicyKey): Promise<Policy> => {
    const limits = await limitsOf(key)
    if (limits.length === 0) throw new ZaelError('not_found', `There is no policy ${policyLabel(key)}`)
    return { key, limits }
  }
  return {
    list: (page) => deps.store.listPolicies(page),
    get: existing,
    async put(key, limits, actor) {
      if (limits.length === 0) throw invalid('limits', 'hold at least one limit')
      const before = await limitsOf(key)
      await sets.replace(policyLimitSet(key), limits, actor)
      return { policy: { key, limits }, created: before.length === 0 }
    },
    async remove(key, actor) {
      await existing(key)
      await sets.replace(policyLimitSet(key), [], actor)
    },
  }
}
