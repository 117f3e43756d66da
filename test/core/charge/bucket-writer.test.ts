import { expect, it } from 'vitest'
import { entityBucket } from '../../../src/core/bucket/bucket-store.ts'
import type { BucketItem } from '../../../src/core/bucket/write.ts'
import { createBucketWriter } from '../../../src/core/charge/bucket-writer.ts'
import { noMetrics } from '../../../src/core/ports/platform.ts'
import { createMemoryBucketStore } from '../../../src/store/memory/bucket-store.ts'
import { newMapCache } from '../test-limiter.ts'

const BUCKET = entityBucket('key', '_default_')

/** A writer that has had the given answers, in this order. */
const afterAnswers = async (...answers: readonly (BucketItem | undefined)[]) => {
  const left = [...answers]
  const store = { ...createMemoryBucketStore(), read: async () => left.shift() }
  const writer = createBucketWriter(store, newMapCache({ max: 10 }), noMetrics)
  for (const _ of answers) await writer.read(BUCKET)
  return writer.cached(BUCKET)
}

it.each([
  [
    'the later state, whichever answer comes first',
    [
      { born: 1n, rev: 2n },
      { born: 1n, rev: 1n },
    ],
    2n,
  ],
  [
    'the later state where answers come in order',
    [
      { born: 1n, rev: 1n },
      { born: 1n, rev: 2n },
    ],
    2n,
  ],
  [
    'the life it heard of last, whatever its clock said',
    [
      { born: 5n, rev: 9n },
      { born: 4n, rev: 1n },
    ],
    1n,
  ],
  ['nothing of a bucket that is gone', [{ born: 1n, rev: 1n }, undefined], undefined],
  ['nothing where it has heard nothing', [], undefined],
] as const)('remembers %s', async (_, answers, rev) => {
  expect((await afterAnswers(...answers))?.rev).toBe(rev)
})
