import { ScanCommand, type ScanCommandOutput } from '@aws-sdk/client-dynamodb'
import { afterEach, expect, test } from 'vitest'
import { demoData } from '../../../../seed/demo-data.ts'
import { loadDemoData } from '../../../../seed/load-demo-data.ts'
import type { Secrets } from '../../../../src/core/ports/platform.ts'
import { randomSecrets } from '../../../../src/platform/secrets.ts'
import { createDynamoAdminStore } from '../../../../src/store/dynamodb/admin/admin-store.ts'
import { createNewTable } from '../../../../src/store/dynamodb/admin/new-table.ts'
import { createTestClock } from '../../../core/test-clock.ts'
import { startTestTable, type TestTable } from '../../../engine/test-table.ts'

const closing: (() => unknown)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

const emptyTable = async (): Promise<TestTable> => {
  const table = await startTestTable()
  closing.push(table.close)
  return table
}

/** Ids that are the same in every run. */
const numberedSecrets = (): Secrets => {
  let last = 0
  return { ...randomSecrets, id: () => `id-${++last}` }
}

const allItems = async ({ client, tableName }: TestTable): Promise<readonly string[]> => {
  const { Items = [] }: ScanCommandOutput = await client.run((sdk) =>
    sdk.send(new ScanCommand({ TableName: tableName })),
  )
  return Items.map((item) => JSON.stringify(Object.entries(item).toSorted())).toSorted()
}

test('a new table has the items that would be written one by one', async () => {
  const [one, other] = [await emptyTable(), await emptyTable()]
  const clock = createTestClock()
  const store = createDynamoAdminStore(one.client, one.tableName, clock)
  const load = { clock, secrets: numberedSecrets() }
  await loadDemoData({ ...load, store }, demoData)
  const expected = await allItems(one)
  expect(expected.length).toBeGreaterThan(75)

  const table = createNewTable(other.client, other.tableName, clock)
  const again = { clock, secrets: numberedSecrets() }
  await loadDemoData({ ...again, store: table.store }, demoData)
  expect(await allItems(other)).toEqual([])
  await table.write()
  expect(await allItems(other)).toEqual(expected)
})

test('conditions hold in a new table as in one that exists', async () => {
  const { client, tableName } = await emptyTable()
  const clock = createTestClock()
  const { store } = createNewTable(client, tableName, clock)
  const deps = { store, clock, secrets: numberedSecrets() }
  await loadDemoData(deps, demoData)
  expect(await loadDemoData(deps, demoData)).toEqual({ made: 0 })
  const orphan = { id: 'orphan', name: 'Orphan', kind: 'key', parentId: 'nobody' }
  await expect(loadDemoData(deps, { ...demoData, entities: [orphan] })).rejects.toThrow(
    'parent_id must name an entity that exists',
  )
  await expect(store.listEntities({ limit: 1 })).rejects.toThrow('not listed before it is written')
})
