import { LRUCache } from 'lru-cache'
import { type BucketId, type BucketStore, bucketKey } from '../../core/bucket/bucket-store.ts'
import { invalid } from '../../core/model/errors.ts'
import type { ConfigStore } from '../../core/ports/config-store.ts'
import { createMemoryBucketStore } from '../../store/memory/bucket-store.ts'
import { checkOptions, type OptionNames } from '../arguments.ts'

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

export interface MemoryStoreOptions {
  /**
   * How many buckets are kept. Default 100,000 (about 1 KB each). Beyond it the one that was charged least recently is removed,
   * and is full again.
   */
  readonly maxBuckets?: number
}

const MAX_BUCKETS = 100_000

export const MEMORY_STORE_OPTIONS: OptionNames<MemoryStoreOptions> = { maxBuckets: true }

/**
 * Buckets in this process alone: nothing to set up, and nothing shared with other processes.
 *
 * @example
 * const limiter = createRateLimiter({
 *   store: memoryStore({ maxBuckets: 10_000 }),
 *   limits: [{ name: 'rps', capacity: 10, refill_rate: 2 }],
 * })
 */
export const memoryStore = (options: MemoryStoreOptions = {}): LimiterStore => {
  checkOptions<MemoryStoreOptions>(options, MEMORY_STORE_OPTIONS)
  const { maxBuckets = MAX_BUCKETS } = options
  if (!Number.isSafeInteger(maxBuckets) || maxBuckets < 1) {
    throw invalid('maxBuckets', 'be a whole number of at least 1')
  }
  const buckets = createMemoryBucketStore()
  const charged = new LRUCache<string, BucketId>({
    // with `max`, the library allocates room for all of them at once
    maxSize: maxBuckets,
    sizeCalculation: () => 1,
    dispose: (id, _, reason) => {
      if (reason === 'evict') buckets.expire(id)
    },
  })
  return {
    buckets: {
      ...buckets,
      write(id, write) {
        charged.set(bucketKey(id), id)
        return buckets.write(id, write)
      },
    },
    close: () => charged.clear(),
  }
}
