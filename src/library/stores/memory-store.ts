import type { BucketStore } from '../../core/bucket/bucket-store.ts'
import type { LiveBuckets } from '../../core/bucket/live-bucket.ts'
import { invalid } from '../../core/model/errors.ts'
import type { ConfigStore } from '../../core/ports/config-store.ts'
import { createMemoryBucketStore } from '../../store/memory/bucket-store.ts'
import { checkOptions, type OptionNames } from '../arguments.ts'

/** The storage of buckets: `memoryStore()`, or `dynamoDbStore()` of `zael/dynamodb`. */
export interface LimiterStore {
  readonly buckets: BucketStore
  /** Entities, limits and policies in the same table; undefined for a store in memory. */
  readonly config?: ConfigStore
  /** Identifies the table; equal for all stores of a table. Undefined for a store in memory. */
  readonly table?: string
  /** Closes connections. Close the limiters on the store first. */
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
   * The number of buckets kept. Default 100,000 (about 1 KB each). Beyond it, a bucket is removed that was charged before at
   * least half of the others, and starts again full.
   */
  readonly maxBuckets?: number
}

const MAX_BUCKETS = 100_000

const MEMORY_STORE_OPTIONS: OptionNames<MemoryStoreOptions> = { maxBuckets: true }

/**
 * Buckets in the memory of this process: no setup, and not shared with other processes.
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
  const { live, ...buckets } = createMemoryBucketStore({ maxBuckets })
  liveBuckets.set(buckets, live)
  return { buckets, close: () => {} }
}

/**
 * The live form of each store in memory, by the identity of its buckets: a copy with another `write` is another store, whose
 * limiters must call it.
 */
const liveBuckets = new WeakMap<BucketStore, LiveBuckets>()

/** The buckets of a store that only this process writes, to be charged in place. */
export const liveBucketsOf = ({ buckets }: LimiterStore): LiveBuckets | undefined => liveBuckets.get(buckets)
