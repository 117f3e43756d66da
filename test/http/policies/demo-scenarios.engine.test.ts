import { afterEach } from 'vitest'
import { createDynamoAdminStore } from '../../../src/store/dynamodb/admin/admin-store.ts'
import { createDynamoBucketStore } from '../../../src/store/dynamodb/bucket-store.ts'
import { startTestTable, type TestTable, testClock } from '../../engine/test-table.ts'
import { demoScenarios } from './demo-scenarios.ts'
import { createPolicyWorld } from './policy-world.ts'

const tables: TestTable[] = []
afterEach(() => Promise.all(tables.splice(0).map((table) => table.close())))

demoScenarios('a table', async () => {
  const table = await startTestTable()
  tables.push(table)
  return createPolicyWorld({
    store: createDynamoAdminStore(table.client, table.tableName, testClock),
    buckets: createDynamoBucketStore(table.client, table.tableName),
    clock: testClock,
  })
})
