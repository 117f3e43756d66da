import { afterAll, beforeAll } from 'vitest'
import type { AdminStore } from '../../../../src/core/ports/admin-store.ts'
import { createDynamoAdminStore } from '../../../../src/store/dynamodb/admin/admin-store.ts'
import { startTestTable, type TestTable } from '../../../engine/test-table.ts'
import { adminStoreSuite } from '../../admin-store-suite.ts'
import { TODAY } from '../../store-fixtures.ts'

let table: TestTable

let store: AdminStore

beforeAll(async () => {
  table = await startTestTable()
  store = createDynamoAdminStore(table.client, table.tableName, { now: () => TODAY, monotonic: () => 0n })
})

afterAll(() => table.close())

adminStoreSuite('DynamoDB', () => store)
