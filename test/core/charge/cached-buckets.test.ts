import { expect, test } from 'vitest'
import { entityBucket } from '../../../src/core/bucket/bucket-store.ts'
import type { BucketItem } from '../../../src/core/bucket/write.ts'
import { type CachedBucket, createCachedBuckets } from '../../../src/core/charge/cached-buckets.ts'
import { noMetrics } from '../../../src/core/ports/platform.ts'
import { createMemoryBucketStore } from '../../../src/store/memory/bucket-store.ts'
import { createTestClock } from '../test-clock.ts'
import { newMapCache } from '../test-limiter.ts'

const BUCKET = entityBucket('key', '_default_')

/** The cached state after the given responses, in this order. */
const afterResponses = async (...responses: readonly (BucketItem | undefined)[]) => {
  const left = [...responses]
  const store = { ...createMemoryBucketStore(), read: async () => left.shift() }
  const cache = newMapCache<CachedBucket>({ max: 10 })
  const buckets = createCachedBuckets({ store, cache, clock: createTestClock(), metrics: noMetrics })
  for (const _ of responses) await buckets.read(BUCKET)
  return buckets.cached(BUCKET)
}

test.each([
  [
    'the later state, whichever response comes first',
    [
      { born: 1n, rev: 2n },
      { born: 1n, rev: 1n },
    ],
    2n,
  ],
  [
    'the later state if responses come in order',
    [
      { born: 1n, rev: 1n },
      { born: 1n, rev: 2n },
    ],
    2n,
  ],
  [
    'the generation received last, whatever its clock',
    [
      { born: 5n, rev: 9n },
      { born: 4n, rev: 1n },
    ],
    1n,
  ],
  ['nothing of a bucket that is gone', [{ born: 1n, rev: 1n }, undefined], undefined],
  ['nothing if nothing was read', [], undefined],
] as const)('caches %s', async (_, responses, rev) => {
  expect((await afterResponses(...responses))?.rev).toBe(rev)
})
