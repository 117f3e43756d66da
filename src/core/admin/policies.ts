import type { Limiter } from '../decide/limiter.ts'
import { invalid, ZaelError } from '../model/errors.ts'
import type { Limit } from '../model/limit.ts'
import {
  type LimitSet,
  ownerText,
  type Policy,
  policyLimitSet,
  type VersionedPolicy,
} from '../model/limit-set.ts'
import {
  EVERY_NAME,
  isNameScope,
  type NamedBucket,
  namedBucketKey,
  type PolicyKey,
  policyLabel,
} from '../model/policy.ts'
import type { Page, PageRequest } from '../ports/admin-store.ts'
import { type AdminDependencies, type AuditEntry, auditRecord, nextVersion, untilUnchanged } from './audit.ts'
import { createLimitSetService } from './limits.ts'
import { checkPrecondition, type Precondition } from './precondition.ts'

/** Creates, changes and deletes policies. All methods throw `StoreUnavailable`. */
export interface PolicyService {
  list(page: PageRequest): Promise<Page<Policy>>
  /** Throws `not_found`. */
  get(key: PolicyKey): Promise<VersionedPolicy>
  /**
   * Replaces the policy's limits. Throws `invalid_request` if `limits` is empty, `precondition_failed` as
   * `LimitSetService.replace`.
   */
  put(
    key: PolicyKey,
    limits: readonly Limit[],
    actor: string,
    precondition?: Precondition,
  ): Promise<{ readonly policy: VersionedPolicy; readonly created: boolean }>
  /**
   * Removes the policy and its charges: a policy that is created again begins full. Returns the version of what remains. Throws
   * `not_found`, and `precondition_failed`.
   */
  remove(key: PolicyKey, actor: string, precondition?: Precondition): Promise<bigint>
  /**
   * Refills its limits, of all users or sessions, and returns the policy. Throws `not_found`, and `conflict` under contention.
   */
  reset(key: PolicyKey, actor: string): Promise<VersionedPolicy>
  /** Refills the limits of one user or session. Throws `conflict` under contention. */
  resetNamed(bucket: NamedBucket, actor: string): Promise<void>
}

export interface PolicyDependencies extends AdminDependencies {
  readonly limiter: Pick<Limiter, 'resetPolicy' | 'removePolicyBucket'>
}

export const createPolicyService = (deps: PolicyDependencies): PolicyService => {
  const { limiter } = deps
  const sets = createLimitSetService(deps)
  const existing = async (key: PolicyKey): Promise<VersionedPolicy> => {
    const set = await sets.read(policyLimitSet(key))
    if (set.limits.length === 0) throw new ZaelError('not_found', `There is no policy ${policyLabel(key)}`)
    return { key, ...set }
  }
  return {
    list: (page) => deps.store.listPolicies(page),
    get: existing,
    async put(key, limits, actor, precondition = {}) {
      if (limits.length === 0) throw invalid('limits', 'contain at least one limit')
      const before = await sets.read(policyLimitSet(key))
      const created = before.limits.length === 0
      checkPrecondition(before, precondition)
      // a removed policy may still have a bucket: a node charged it by cached configuration, or `remove` was interrupted
      if (created) await prepareNew(deps, key, actor)
      const version = await sets.replace(policyLimitSet(key), limits, actor, precondition)
      return { policy: { key, limits, version }, created }
    },
    async remove(key, actor, precondition) {
      await existing(key)
      // the limits first: a crash in between leaves a bucket that no request is charged to, and `put` removes it
      const version = await sets.replace(policyLimitSet(key), [], actor, precondition)
      if (!isNameScope(key.scope)) await limiter.removePolicyBucket(key)
      return version
    },
    async reset(key, actor) {
      const policy = await existing(key)
      if (isNameScope(key.scope)) {
        await rewrite(deps, key, resetEntry(key, actor), (set, version) => ({ ...set, since: version }))
      } else await resetBucket(deps, key, actor)
      return policy
    },
    resetNamed: (bucket, actor) => resetBucket(deps, namedBucketKey(bucket), actor),
  }
}

const resetBucket = async (deps: PolicyDependencies, key: PolicyKey, actor: string): Promise<void> => {
  await deps.limiter.resetPolicy(key)
  await deps.store.recordAudit(auditRecord(deps, resetEntry(key, actor)))
}

const resetEntry = (key: PolicyKey, actor: string): AuditEntry => {
  const subject = ownerText({ kind: 'policy', ...key })
  return { actor, action: 'bucket.reset', subject, before: null, after: null }
}

/**
 * Prepares a policy that does not exist. One on a single name is looked up only if the set of all names has the mark, which
 * stays. The buckets of users and sessions cannot be listed: their states are void by the version of the new policy.
 */
const prepareNew = async (deps: PolicyDependencies, key: PolicyKey, actor: string): Promise<void> => {
  const { scope, selector } = key
  if (!isNameScope(scope)) return deps.limiter.removePolicyBucket(key)
  if (selector === EVERY_NAME) return
  const every = { scope, selector: EVERY_NAME }
  const subject = ownerText({ kind: 'policy', ...every })
  const entry = { actor, action: 'policy.has_names', subject, before: null, after: selector }
  await rewrite(deps, every, entry, (set) => (set.hasNames ? undefined : { ...set, hasNames: true }))
}

/** Changes the set of a policy without changing its limits; `edit` returns undefined if there is nothing to change. */
const rewrite = async (
  deps: AdminDependencies,
  key: PolicyKey,
  entry: AuditEntry,
  edit: (set: LimitSet, version: bigint) => LimitSet | undefined,
): Promise<void> => {
  const setKey = policyLimitSet(key)
  await untilUnchanged(async () => {
    const [before] = await deps.store.limitSets([setKey])
    const version = nextVersion(deps.clock.now(), before?.version ?? null)
    const after = edit({ limits: [], ...before, version }, version)
    if (after === undefined) return 'replaced'
    return deps.store.putLimitSet(setKey, after, before?.version ?? null, auditRecord(deps, entry))
  })
  deps.changed({ all: true })
}
