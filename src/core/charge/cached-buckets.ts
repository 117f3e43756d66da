import { numberIn } from '../bucket/bucket-item.ts'
import { type BucketId, type BucketStore, bucketKey } from '../bucket/bucket-store.ts'
import type { BucketItem } from '../bucket/write.ts'
import type { Cache, Clock, Metrics } from '../ports/platform.ts'
import { createCircuit } from './circuit.ts'

/**
 * A bucket store behind a circuit that caches the last state of each bucket. A cached state selects the variant of a write, and
 * is never the reason of a denial.
 */
export interface CachedBuckets extends BucketStore {
  cached(id: BucketId): BucketItem | undefined
  /** The same, by the bucket's key. */
  cachedAt(key: string): BucketItem | undefined
}

export interface CachedBucketsOptions {
  readonly store: BucketStore
  readonly cache: Cache<BucketItem>
  readonly clock: Clock
  readonly metrics: Metrics
  /** Called when a bucket has a new generation, or is gone: leases of the previous one are void. */
  readonly onNewGeneration?: (key: string) => void
}

export const createCachedBuckets = ({
  store,
  cache,
  clock,
  metrics,
  onNewGeneration,
}: CachedBucketsOptions): CachedBuckets => {
  const circuit = createCircuit(clock)
  const keep = (key: string, item: BucketItem | undefined): void => {
    const previous = cache.get(key)
    if (previous && previous.born !== item?.born) onNewGeneration?.(key)
    if (!item) cache.delete(key)
    else if (isNewer(item, cache.get(key))) cache.set(key, item)
  }
  return {
    cached: (id) => cache.get(bucketKey(id)),
    cachedAt: (key) => cache.get(key),
    async write(id, write) {
      metrics.count('bucket_writes')
      circuit.check()
      const outcome = await circuit.observe(store.write(id, write))
      keep(bucketKey(id), outcome.item)
      return outcome
    },
    async read(id) {
      metrics.count('bucket_reads')
      circuit.check()
      const item = await circuit.observe(store.read(id))
      keep(bucketKey(id), item)
      return item
    },
    async remove(id) {
      metrics.count('bucket_writes')
      circuit.check()
      await circuit.observe(store.remove(id))
      keep(bucketKey(id), undefined)
    },
    async list(entityId) {
      circuit.check()
      return circuit.observe(store.list(entityId))
    },
  }
}

/**
 * Responses may arrive out of order; within a generation `rev` orders the states. Of two generations the one received last is
 * kept: `born` comes from different clocks, and the writes of a cached state whose generation has ended would all fail.
 */
const isNewer = (item: BucketItem, cached: BucketItem | undefined): boolean => {
  const isSameGeneration = cached !== undefined && numberIn(item, 'born', 0n) === numberIn(cached, 'born', 0n)
  return !isSameGeneration || numberIn(item, 'rev', 0n) >= numberIn(cached, 'rev', 0n)
}
