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
  /** The entry of a bucket in the cache; undefined if there is none. A bucket may have another once `entries` has changed. */
  entryAt(key: string): CachedBucket | undefined
  readonly entries: { readonly added: number }
}

/** A bucket in the cache. */
export interface CachedBucket {
  /** Undefined if the bucket has been removed. */
  item: BucketItem | undefined
}

export interface CachedBucketsOptions {
  readonly store: BucketStore
  readonly cache: Cache<CachedBucket>
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
  const entries = { added: 0 }
  const add = (key: string, item: BucketItem): void => {
    entries.added++
    cache.set(key, { item })
  }
  const remove = (key: string, entry: CachedBucket | undefined): void => {
    if (entry) entry.item = undefined
    cache.delete(key)
  }
  const keep = (key: string, item: BucketItem | undefined): void => {
    const entry = cache.get(key)
    if (entry?.item && entry.item.born !== item?.born) onNewGeneration?.(key)
    if (!item) remove(key, entry)
    else if (entry === undefined) add(key, item)
    else if (isNewer(item, entry.item)) entry.item = item
  }
  return {
    cached: (id) => cache.get(bucketKey(id))?.item,
    cachedAt: (key) => cache.get(key)?.item,
    entryAt: (key) => cache.get(key),
    entries,
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
