import { expect, test } from 'vitest'
import { type BucketId, bucketKey, entityBucket } from '../../../src/core/bucket/bucket-store.ts'
import type { BucketItem } from '../../../src/core/bucket/write.ts'
import { type CachedBucket, createCachedBuckets } from '../../../src/core/charge/cached-buckets.ts'
import { noMetrics } from '../../../src/core/ports/platform.ts'
import { lruCaches } from '../../../src/platform/runtime.ts'
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

/** Buckets in a cache of one bucket. `read` reads a state of `key`. */
const openSmall = () => {
  let item: BucketItem | undefined
  const store = { ...createMemoryBucketStore(), read: async () => item }
  const cache = lruCaches<CachedBucket>({ max: 1 })
  const buckets = createCachedBuckets({ store, cache, clock: createTestClock(), metrics: noMetrics })
  const read = async (id: BucketId, state: BucketItem | undefined): Promise<CachedBucket | undefined> => {
    item = state
    await buckets.read(id)
    return buckets.entryAt(bucketKey(id))
  }
  return { buckets, read }
}

test('keeps one entry for a bucket, until it is removed', async () => {
  const { buckets, read } = openSmall()
  const entry = await read(BUCKET, { born: 1n, rev: 1n })
  const { added } = buckets.entries
  expect(await read(BUCKET, { born: 1n, rev: 2n })).toBe(entry)
  expect(entry?.item?.rev).toBe(2n)
  expect(await read(BUCKET, undefined)).toBeUndefined()
  expect(entry?.item).toBeUndefined()
  expect(buckets.entries.added).toBe(added)
})

test('shows that a bucket may have another entry, after it was evicted', async () => {
  const { buckets, read } = openSmall()
  const evicted = await read(BUCKET, { born: 1n, rev: 1n })
  await read(entityBucket('other', '_default_'), { born: 1n, rev: 1n })
  const { added } = buckets.entries
  const again = await read(BUCKET, { born: 1n, rev: 2n })
  expect(again).not.toBe(evicted)
  expect(buckets.entries.added).toBeGreaterThan(added)
})
