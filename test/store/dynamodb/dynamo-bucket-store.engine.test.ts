import { afterAll, beforeAll } from 'vitest'
import type { BucketStore } from '../../../src/core/bucket/bucket-store.ts'
import { createDynamoBucketStore } from '../../../src/store/dynamodb/dynamo-bucket-store.ts'
import { startTestTable, type TestTable } from '../../engine/test-table.ts'
import { bucketStoreContract } from '../bucket-store-contract.ts'

let table: TestTable
let store: BucketStore

beforeAll(async () => {
  table = await startTestTable()
  store = createDynamoBucketStore(table.client, table.tableName)
})
afterAll(() => table.close())

bucketStoreContract('DynamoDB', () => store)
