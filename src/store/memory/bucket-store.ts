import type { LiveTime } from '../../core/bucket/algorithm.ts'
import { applyActions } from '../../core/bucket/apply-write.ts'
import {
  type BucketId,
  type BucketStore,
  bucketKey,
  type WriteOutcome,
} from '../../core/bucket/bucket-store.ts'
import {
  createLiveTimes,
  LiveBucket,
  type LiveBucketOwner,
  type LiveBuckets,
  type UsePeriods,
} from '../../core/bucket/live-bucket.ts'
import type { BucketItem, ConditionalWrite } from '../../core/bucket/write.ts'
import { checkActions, checkConditions, holds } from './conditional-write.ts'
import { createRecency, type Recency } from './recency.ts'

/** A bucket store in memory: for a single process, local fallback, simulations and tests. */
export interface MemoryBucketStore extends BucketStore {
  /** The same buckets, for a limiter that charges them in place: the only process that writes them. */
  readonly live: LiveBuckets
  /** Removes a bucket, as the TTL of DynamoDB does. */
  expire(id: BucketId): void
}

export interface MemoryBucketStoreOptions {
  /** Beyond it, a bucket is removed that was written or charged before at least half of the others. Default: unlimited. */
  readonly maxBuckets?: number
}

const EMPTY: BucketItem = Object.freeze({})

/**
 * Applies conditional writes by the rules of DynamoDB: a malformed write is rejected with the same `ValidationException`. Each
 * write runs in one turn of the event loop, so it is atomic. Items are frozen.
 */
export const createMemoryBucketStore = ({
  maxBuckets = Number.POSITIVE_INFINITY,
}: MemoryBucketStoreOptions = {}): MemoryBucketStore => {
  const buckets = new Map<string, StoredBucket>()
  const recency = createRecency<StoredBucket>(maxBuckets)

  const drop = (stored: StoredBucket | undefined): void => {
    if (stored === undefined) return
    stored.end()
    recency.remove(stored)
    buckets.delete(stored.key)
  }
  const add = (id: BucketId, key: string, item: BucketItem): void => {
    const added = new StoredBucket(id, key, item, recency)
    buckets.set(key, added)
    recency.use(added)
    if (buckets.size > maxBuckets) drop(recency.oldest())
  }
  const write = (id: BucketId, write: ConditionalWrite): WriteOutcome => {
    checkConditions(write.conditions)
    checkActions(write.actions)
    const key = bucketKey(id)
    const stored = buckets.get(key)
    if (stored !== undefined) recency.use(stored)
    const before = stored?.item()
    if (!write.conditions.every((condition) => holds(condition, before ?? EMPTY)))
      return { applied: false, item: before }
    const item = applyActions(before ?? EMPTY, write.actions)
    if (stored === undefined) add(id, key, item)
    else stored.replace(item)
    return { applied: true, item }
  }

  return {
    live: {
      timeOf: createLiveTimes(),
      at: (key, time) => buckets.get(key)?.live(time),
      itemAt: (key) => buckets.get(key)?.item(),
    },
    write: async (id, conditionalWrite) => write(id, conditionalWrite),
    read: async (id) => buckets.get(bucketKey(id))?.item(),
    list: async (entityId) => [...buckets.values()].flatMap((stored) => ofEntity(stored, entityId)),
    remove: async (id) => drop(buckets.get(bucketKey(id))),
    expire: (id) => drop(buckets.get(bucketKey(id))),
  }
}

const ofEntity = (stored: StoredBucket, entityId: string) =>
  stored.id.kind === 'entity' && stored.id.entityId === entityId
    ? [{ resource: stored.id.resource, item: stored.item() }]
    : []

/** A bucket as an item, or live: then the item is outdated. */
class StoredBucket implements LiveBucketOwner {
  readonly id: BucketId
  readonly key: string
  /** Neighbours by recency of use. */
  older: StoredBucket | undefined
  newer: StoredBucket | undefined
  #item: BucketItem
  #live: LiveBucket | undefined
  readonly #recency: Recency<StoredBucket>
  readonly periods: UsePeriods

  constructor(id: BucketId, key: string, item: BucketItem, recency: Recency<StoredBucket>) {
    this.id = id
    this.key = key
    this.#item = item
    this.#recency = recency
    this.periods = recency.periods
  }

  item(): BucketItem {
    return this.#live?.item() ?? this.#item
  }

  replace(item: BucketItem): void {
    this.end()
    this.#item = item
  }

  live(time: LiveTime): LiveBucket {
    if (this.#live?.isOf(time) !== true) this.end()
    this.#live ??= new LiveBucket(this.#item, time, this)
    return this.#live
  }

  used(): void {
    this.#recency.use(this)
  }

  end(): void {
    this.#live?.end()
  }

  ended(): void {
    this.#item = this.item()
    this.#live = undefined
  }
}
