import type { Limit } from './limit.ts'
import type { PolicyKey } from './policy.ts'

/** The resource names that are not the name of any one resource. */
export const DEFAULT_RESOURCE = '_default_'

export const OTHER_RESOURCE = '_other_'

export const TOTAL_RESOURCE = '_total_'

/** Whose limits a set is. */
export type LimitOwner =
  | { readonly kind: 'entity'; readonly id: string }
  | { readonly kind: 'role'; readonly role: string }
  | { readonly kind: 'system' }
  /** On `_total_` only: a policy has one bucket, over all resources. */
  | ({ readonly kind: 'policy' } & PolicyKey)

/** Where one set of limits is kept: an owner and a resource. */
export interface LimitSetKey {
  readonly owner: LimitOwner
  readonly resource: string
}

/**
 * The limits of one owner on one resource. A deletion leaves a set without limits, so that the order of changes is
 * known for ever.
 */
export interface LimitSet {
  readonly limits: readonly Limit[]
  /** Orders changes: max(ns since the epoch of the change, the version before + 1). */
  readonly version: bigint
}

/** A text that no two owners share. */
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

/** A text that no two sets share. */
export const limitSetText = ({ owner, resource }: LimitSetKey): string => `${ownerText(owner)}#${resource}`

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
