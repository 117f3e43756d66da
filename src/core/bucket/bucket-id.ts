import type { PolicyKey } from '../policy/policy-key.ts'

/** Names one bucket: one entity on one resource, or one policy selector over all resources. */
export type BucketId =
  | { readonly kind: 'entity'; readonly entityId: string; readonly resource: string }
  | ({ readonly kind: 'policy' } & PolicyKey)

export const entityBucket = (entityId: string, resource: string): BucketId => ({
  kind: 'entity',
  entityId,
  resource,
})

export const policyBucket = ({ scope, selector }: PolicyKey): BucketId => ({
  kind: 'policy',
  scope,
  selector,
})

/** A string that no two buckets share: no part of an id holds a `#`. */
export const bucketKey = (id: BucketId): string =>
  id.kind === 'entity' ? `ENTITY#${id.entityId}#${id.resource}` : `POLICY#${id.scope}#${id.selector}`
