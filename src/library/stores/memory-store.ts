import { LRUCache } from 'lru-cache'
import { type BucketId, bucketKey } from '../../core/bucket/bucket-id.ts'
import { createMemoryBucketStore } from '../../store/memory/memory-bucket-store.ts'
import type { LimiterStore } from './limiter-store.ts'

export interface MemoryStoreOptions {
  /**
   * Buckets kept, 100,000 unless told (about 1 KB each). Beyond it the one that was not charged for longest is forgotten,
   * and is full again.
   */
  readonly maxBuckets?: number
}

const MAX_BUCKETS = 100_000

/**
 * Buckets in this process alone: nothing to set up, and nothing shared with other processes.
 *
 * @example
 * const limiter = createRateLimiter({ store: memoryStore(), limits: [{ name: 'rps', capacity: 10, refill_rate: 2 }] })
 */
export const memoryStore = ({ maxBuckets = MAX_BUCKETS }: MemoryStoreOptions = {}): LimiterStore => {
  const buckets = createMemoryBucketStore()
  const charged = new LRUCache<string, BucketId>({
    max: maxBuckets,
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
