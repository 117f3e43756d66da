import { numberIn } from '../bucket/bucket-item.ts'
import { type BucketId, type BucketStore, bucketKey, type WriteOutcome } from '../bucket/bucket-store.ts'
import type { BucketItem, ConditionalWrite } from '../bucket/write.ts'
import type { Cache, Metrics } from '../ports/platform.ts'

/** A bucket store that remembers what it last saw of each bucket. What it remembers is a guess, never grounds for a denial. */
export interface BucketWriter {
  cached(id: BucketId): BucketItem | undefined
  /** The same, by the bucket's key. */
  cachedAt(key: string): BucketItem | undefined
  /** As `BucketStore.write`. */
  write(id: BucketId, write: ConditionalWrite): Promise<WriteOutcome>
  /** As `BucketStore.read`. */
  read(id: BucketId): Promise<BucketItem | undefined>
  /** As `BucketStore.remove`. */
  remove(id: BucketId): Promise<void>
}

export const createBucketWriter = (
  store: BucketStore,
  views: Cache<BucketItem>,
  metrics: Metrics,
  /** Told of a bucket that has begun another life, or is gone: what was known of it is void. */
  onNewGeneration: (key: string) => void = () => {},
): BucketWriter => {
  const see = (key: string, item: BucketItem | undefined): void => {
    const known = views.get(key)
    if (known && known.born !== item?.born) onNewGeneration(key)
    if (!item) views.delete(key)
    else if (isNewer(item, views.get(key))) views.set(key, item)
  }
  return {
    cached: (id) => views.get(bucketKey(id)),
    cachedAt: (key) => views.get(key),
    async write(id, write) {
      metrics.count('bucket_writes')
      const outcome = await store.write(id, write)
      see(bucketKey(id), outcome.item)
      return outcome
    },
    async read(id) {
      metrics.count('bucket_reads')
      const item = await store.read(id)
      see(bucketKey(id), item)
      return item
    },
    async remove(id) {
      metrics.count('bucket_writes')
      await store.remove(id)
      see(bucketKey(id), undefined)
    },
  }
}

/**
 * Answers overtake each other; within a life `rev` says which state is the later one. Of two lives the one heard of last
 * stands: `born` is read off clocks that differ, and a guess that held on to a dead life would fail for ever.
 */
const isNewer = (item: BucketItem, known: BucketItem | undefined): boolean => {
  const isSameGeneration = known !== undefined && numberIn(item, 'born', 0n) === numberIn(known, 'born', 0n)
  return !isSameGeneration || numberIn(item, 'rev', 0n) >= numberIn(known, 'rev', 0n)
}
