import type { BucketStore } from '../../core/bucket/bucket-store.ts'
import { invalid } from '../../core/model/errors.ts'
import type { ConfigStore } from '../../core/ports/config-store.ts'

/** Where a rate limiter keeps its buckets: `memoryStore()`, or `dynamoDbStore()` of `zael/dynamodb`. */
export interface LimiterStore {
  readonly buckets: BucketStore
  /** The entities, limits and policies that stand in the same table; a store in memory has none. */
  readonly config?: ConfigStore
  /** Names the table; stores of one table have the same. A store in memory has none. */
  readonly table?: string
  /** Closes connections. Limiters on the store are to be closed before. */
  close(): void
}

/** Throws `ZaelError('invalid_request')` for a value that is not a store. */
export const checkStore = (store: unknown): void => {
  if (store === undefined) return
  const buckets =
    typeof store === 'object' && store !== null && 'buckets' in store ? store.buckets : undefined
  if (typeof buckets !== 'object' || buckets === null) {
    throw invalid('store', 'be what memoryStore(), or dynamoDbStore() of zael/dynamodb, returns')
  }
}
