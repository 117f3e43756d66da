import type { PolicyKey } from '../model/policy.ts'
import type { BucketItem, ConditionalWrite } from './write.ts'

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

/** A string that is unique to a bucket: no part of an id contains a `#`. */
export const bucketKey = (id: BucketId): string =>
  id.kind === 'entity' ? `ENTITY#${id.entityId}#${id.resource}` : `POLICY#${id.scope}#${id.selector}`

/** The outcome of a conditional write. Not applied: `item` is the stored state that failed the conditions, if any. */
export type WriteOutcome =
  | { readonly applied: true; readonly item: BucketItem }
  | { readonly applied: false; readonly item: BucketItem | undefined }

/** Stores buckets. Every adapter passes `test/store/bucket-store-suite.ts`. */
export interface BucketStore {
  /**
   * Applies `write` to one bucket, wholly or not at all, and creates the item if there is none: one request to the engine,
   * which the adapter never repeats. `item` of an applied write is the state right after it. Throws `StoreUnavailable` if the
   * outcome is unknown or the store is unavailable.
   */
  write(id: BucketId, write: ConditionalWrite): Promise<WriteOutcome>

  /** The bucket as it is now (strongly consistent), or undefined. Throws `StoreUnavailable`. */
  read(id: BucketId): Promise<BucketItem | undefined>

  /**
   * Removes the bucket in any state, if there is one. A later charge creates a new generation of it, which settlements of
   * earlier charges do not change. Throws `StoreUnavailable`.
   */
  remove(id: BucketId): Promise<void>

  /** All buckets of an entity, with their resources. Throws `StoreUnavailable`. */
  list(entityId: string): Promise<readonly { readonly resource: string; readonly item: BucketItem }[]>
}
