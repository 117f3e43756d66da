import type { LimitDefinition } from '../../src/contract/limit-sizes.ts'
import { type BucketStore, entityBucket } from '../../src/core/bucket/bucket-store.ts'
import type { BucketItem, ConditionalWrite } from '../../src/core/bucket/write.ts'
import { createLimiter, type Limiter } from '../../src/core/decide/limiter.ts'
import { noMetrics, silentLogger } from '../../src/core/ports/platform.ts'
import { createConfigInCode } from '../../src/library/limiter/limits-in-code.ts'
import { lruCaches, sha256 } from '../../src/platform/runtime.ts'
import { createMemoryBucketStore } from '../../src/store/memory/bucket-store.ts'

const SECOND_NS = 1_000_000_000n
/** A day in 2026, so that slot names have their present length. */
const START_NS = 1_790_000_000n * SECOND_NS

export const ENTITY_ID = 'key-of-a-customer'
export const BUCKET = entityBucket(ENTITY_ID, '_default_')

/** A limiter on buckets in memory. Its clock stands still until `advance`; `onWrite` receives every write. */
export interface SizeWorld {
  readonly limiter: Limiter
  readonly buckets: BucketStore
  advance(ns: bigint): void
}

export const createSizeWorld = (
  limits: readonly LimitDefinition[],
  onWrite: (write: ConditionalWrite, item: BucketItem | undefined) => void,
): SizeWorld => {
  let elapsedNs = 0n
  const memory = createMemoryBucketStore()
  const buckets: BucketStore = {
    ...memory,
    async write(id, write) {
      const outcome = await memory.write(id, write)
      onWrite(write, outcome.item)
      return outcome
    },
  }
  const limiter = createLimiter({
    buckets,
    localBuckets: createMemoryBucketStore(),
    config: createConfigInCode({ limits }, (id) => id),
    clock: { now: () => START_NS + elapsedNs, monotonic: () => elapsedNs },
    logger: silentLogger,
    metrics: noMetrics,
    newCache: lruCaches,
    pause: async () => {},
    slotPrefix: 'slot-',
    hash: sha256,
  })
  return {
    limiter,
    buckets,
    advance(ns) {
      elapsedNs += ns
    },
  }
}

/** The length of a slot, ns. */
export const slotNsOf = (windowSeconds: number, slots: number): bigint =>
  (BigInt(windowSeconds) * SECOND_NS) / BigInt(slots)
