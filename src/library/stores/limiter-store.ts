import type { BucketStore } from '../../core/bucket/bucket-store.ts'
import type { ConfigStore } from '../../core/ports/config-store.ts'

/** Where a rate limiter keeps its buckets: `memoryStore()`, or `dynamoDbStore()` of `zael/dynamodb`. */
export interface LimiterStore {
  readonly buckets: BucketStore
  /** The entities, limits and policies that stand in the same table; a store in memory has none. */
  readonly config?: ConfigStore
  /** Closes connections. Limiters on the store are to be closed before. */
  close(): void
}
