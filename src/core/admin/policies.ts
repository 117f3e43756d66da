import type { Limiter } from '../decide/limiter.ts'
import { invalid, ZaelError } from '../model/errors.ts'
import type { Limit } from '../model/limit.ts'
import { ownerText, type Policy, policyLimitSet } from '../model/limit-set.ts'
import { type PolicyKey, policyLabel } from '../model/policy.ts'
import type { Page, PageRequest } from '../ports/admin-store.ts'
import { type AdminDependencies, auditRecord } from './audit.ts'
import { createLimitSetService } from './limits.ts'

/** Creates, changes and deletes policies. All methods throw `StoreUnavailable`. */
export interface PolicyService {
  list(page: PageRequest): Promise<Page<Policy>>
  /** Throws `not_found`. */
  get(key: PolicyKey): Promise<Policy>
  /** Replaces the policy's limits. Throws `invalid_request` if `limits` is empty. */
  put(
    key: PolicyKey,
    limits: readonly Limit[],
    actor: string,
  ): Promise<{ readonly policy: Policy; readonly created: boolean }>
  /** Removes the policy and its bucket: a policy that is created again begins full. Throws `not_found`. */
  remove(key: PolicyKey, actor: string): Promise<void>
  /** Refills its limits and returns the policy. Throws `not_found`, and `conflict` under contention. */
  reset(key: PolicyKey, actor: string): Promise<Policy>
}

export interface PolicyDependencies extends AdminDependencies {
  readonly limiter: Pick<Limiter, 'resetPolicy' | 'removePolicyBucket'>
}

export const createPolicyService = (deps: PolicyDependencies): PolicyService => {
  const { limiter } = deps
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
      if (limits.length === 0) throw invalid('limits', 'contain at least one limit')
      const before = await limitsOf(key)
      // a removed policy may still have a bucket: a node charged it by cached configuration, or `remove` was interrupted
      if (before.length === 0) await limiter.removePolicyBucket(key)
      await sets.replace(policyLimitSet(key), limits, actor)
      return { policy: { key, limits }, created: before.length === 0 }
    },
    async remove(key, actor) {
      await existing(key)
      // the limits first: a crash in between leaves a bucket that no request is charged to, and `put` removes it
      await sets.replace(policyLimitSet(key), [], actor)
      await limiter.removePolicyBucket(key)
    },
    async reset(key, actor) {
      const policy = await existing(key)
      await limiter.resetPolicy(key)
      const subject = ownerText({ kind: 'policy', ...key })
      const entry = { actor, action: 'bucket.reset', subject, before: null, after: null }
      await deps.store.recordAudit(auditRecord(deps, entry))
      return policy
    },
  }
}
