import { afterAll, beforeAll } from 'vitest'
import type { ResponseStore } from '../../../src/core/ports/response-store.ts'
import { createDynamoResponseStore } from '../../../src/store/dynamodb/response-store.ts'
import { startTestTable, type TestTable } from '../../engine/test-table.ts'
import { responseStoreSuite } from '../response-store-suite.ts'

let table: TestTable

let store: ResponseStore

beforeAll(async () => {
  table = await startTestTable()
  store = createDynamoResponseStore(table.client, table.tableName)
})

afterAll(() => table.close())

responseStoreSuite('DynamoDB', () => store)
