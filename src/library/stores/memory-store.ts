import { LRUCache } from 'lru-cache'
import { type BucketId, bucketKey } from '../../core/bucket/bucket-store.ts'
import { invalid } from '../../core/model/errors.ts'
import { createMemoryBucketStore } from '../../store/memory/memory-bucket-store.ts'
import { checkOptions, type OptionNames } from '../arguments/known-options.ts'
import type { LimiterStore } from './limiter-store.ts'

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
