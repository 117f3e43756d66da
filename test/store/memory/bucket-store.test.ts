import { expect, test } from 'vitest'
import { entityBucket } from '../../../src/core/bucket/bucket-store.ts'
import { set, setIfMissing } from '../../../src/core/bucket/write.ts'
import { createMemoryBucketStore } from '../../../src/store/memory/bucket-store.ts'
import { algorithmWritesContract } from '../algorithm-writes-contract.ts'
import { bucketStoreContract } from '../bucket-store-contract.ts'

const store = createMemoryBucketStore()

bucketStoreContract('memory', () => store)

algorithmWritesContract('memory', () => store)

test('forgets a bucket that has expired, and no other', async () => {
  const [gone, kept] = [entityBucket('expiring', 'gpt-4'), entityBucket('expiring', '_default_')]
  for (const id of [gone, kept]) await store.write(id, { conditions: [], actions: [set('n', 1n)] })
  store.expire(gone)
  expect(await store.read(gone)).toBeUndefined()
  expect(await store.list('expiring')).toEqual([{ resource: '_default_', item: { n: 1n } }])
})

test('rejects a value from a missing attribute even if it is not needed, as some engines do', async () => {
  const id = entityBucket('strict', 'gpt-4')
  await store.write(id, { conditions: [], actions: [set('n', 1n)] })
  const write = { conditions: [], actions: [setIfMissing('n', { from: 'x' })] }
  await expect(store.write(id, write)).rejects.toMatchObject({ name: 'ValidationException' })
})
