import type { Limit } from './limit.ts'
import type { PolicyKey } from './policy.ts'

/** Resource names that stand for more than one resource. */
export const DEFAULT_RESOURCE = '_default_'

export const OTHER_RESOURCE = '_other_'

export const TOTAL_RESOURCE = '_total_'

/** The owner of a set of limits. */
export type LimitOwner =
  | { readonly kind: 'entity'; readonly id: string }
  | { readonly kind: 'role'; readonly role: string }
  | { readonly kind: 'system' }
  /** On `_total_` only: a policy has one bucket for all resources. */
  | ({ readonly kind: 'policy' } & PolicyKey)

/** Identifies a set of limits: an owner and a resource. */
export interface LimitSetKey {
  readonly owner: LimitOwner
  readonly resource: string
}

/**
 * The limits of one owner on one resource. Deleting them leaves an empty set, whose version keeps later changes in
 * order.
 */
export interface LimitSet {
  readonly limits: readonly Limit[]
  /** Orders changes: max(ns since the epoch of the change, the version before + 1). */
  readonly version: bigint
  /**
   * Only of SESSION and USER policies, whose buckets cannot be listed: the version at which the policy was created or last
   * reset. The state of a limit of an earlier version is void.
   */
  readonly since?: bigint
  /** Only of `SESSION/*` and `USER/*`, which may be empty: whether policies of single names exist, or existed. */
  readonly hasNames?: boolean
}

/** A text that is unique to the owner. */
export const ownerText = (owner: LimitOwner): string => {
  switch (owner.kind) {
    case 'entity':
      return `ENTITY#${owner.id}`
    case 'role':
      return `ROLE#${owner.role}`
    case 'system':
      return 'SYSTEM'
    case 'policy':
      return `POLICY#${owner.scope}#${owner.selector}`
  }
}

/** A text that is unique to the set. */
export const limitSetText = ({ owner, resource }: LimitSetKey): string => `${ownerText(owner)}#${resource}`

/** Limits attached to a scope and selector. All requests to which a policy applies share one bucket, for all resources. */
export interface Policy {
  readonly key: PolicyKey
  readonly limits: readonly Limit[]
}

/** A policy, with the version of its limits. */
export interface VersionedPolicy extends Policy {
  readonly version: bigint
}

/** The key of a policy's set of limits. */
export const policyLimitSet = ({ scope, selector }: PolicyKey): LimitSetKey => ({
  owner: { kind: 'policy', scope, selector },
  resource: TOTAL_RESOURCE,
})
