import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type BucketStore, entityBucket } from '../../../src/core/bucket/bucket-store.ts'
import { set } from '../../../src/core/bucket/write.ts'
import type { Clock } from '../../../src/core/ports/platform.ts'
import { createDynamoBucketStore } from '../../../src/store/dynamodb/bucket-store.ts'
import { createTestClient, startTestTable, type TestTable, testClock } from '../../engine/test-table.ts'
import { algorithmWritesContract } from '../algorithm-writes-contract.ts'
import { bucketStoreContract } from '../bucket-store-contract.ts'

const HOUR_NS = 3_600_000_000_000n

let table: TestTable
let store: BucketStore

beforeAll(async () => {
  table = await startTestTable()
  store = createDynamoBucketStore(table.client, table.tableName)
})
afterAll(() => table.close())

bucketStoreContract('DynamoDB', () => store)
algorithmWritesContract('DynamoDB', () => store)

describe('a node whose clock is an hour ahead', () => {
  const clock: Clock = { now: () => testClock.now() + HOUR_NS, monotonic: testClock.monotonic }
  const id = entityBucket('behind-its-time', 'gpt-4')

  it('writes nothing, not even once', async () => {
    const client = createTestClient(table.endpoint, clock)
    const late = createDynamoBucketStore(client, table.tableName)
    const write = { conditions: [], actions: [set('tat', clock.now())] }
    await expect(late.write(id, write)).rejects.toMatchObject({
      name: 'StoreUnavailable',
      mayHaveApplied: false,
    })
    expect(await late.read(id)).toBeUndefined()
    client.close()
  })
})
