import { DescribeTableCommand, ScanCommand, type ScanCommandOutput } from '@aws-sdk/client-dynamodb'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { demoData } from '../../../seed/demo-data.ts'
import { loadDemoData } from '../../../seed/load-demo-data.ts'
import { set } from '../../../src/core/bucket/write.ts'
import type { Secrets } from '../../../src/core/ports/platform.ts'
import { randomSecrets } from '../../../src/platform/secrets.ts'
import { createDynamoAdminStore } from '../../../src/store/dynamodb/admin/admin-store.ts'
import { createNewTable } from '../../../src/store/dynamodb/admin/new-table.ts'
import { createDynamoBucketStore } from '../../../src/store/dynamodb/bucket-store.ts'
import { ensureTable, tableDefinition } from '../../../src/store/dynamodb/table-definition.ts'
import { createTestClock } from '../../core/test-clock.ts'
import { startDynalite } from '../../engine/start-dynalite.ts'
import { createTestClient, startTestTable, type TestTable } from '../../engine/test-table.ts'

describe('the table', () => {
  let table: TestTable
  beforeAll(async () => {
    table = await startTestTable()
  })
  afterAll(() => table.close())

  test('is created once by concurrent calls, and is active for all', async () => {
    const name = `${table.tableName}-raced`
    const outcomes = await Promise.all(
      Array.from({ length: 4 }, () => ensureTable(table.client, name, { stream: false })),
    )
    expect(outcomes.toSorted()).toEqual(['created', 'exists', 'exists', 'exists'])
    expect(await ensureTable(table.client, name, { stream: false })).toBe('exists')
    const store = createDynamoBucketStore(table.client, name)
    const id = { kind: 'policy', scope: 'GLOBAL', selector: '*' } as const
    expect(await store.write(id, { conditions: [], actions: [set('n', 1n)] })).toMatchObject({
      applied: true,
    })
  })

  test('is paid by the request, and its index holds only what has the keys of the index', async () => {
    const { Table } = await table.client.run((sdk) =>
      sdk.send(new DescribeTableCommand({ TableName: table.tableName })),
    )
    expect(Table?.BillingModeSummary?.BillingMode).toBe('PAY_PER_REQUEST')
    expect(Table?.KeySchema).toEqual([
      { AttributeName: 'PK', KeyType: 'HASH' },
      { AttributeName: 'SK', KeyType: 'RANGE' },
    ])
    expect(Table?.GlobalSecondaryIndexes).toMatchObject([
      {
        IndexName: 'GSI1',
        KeySchema: [
          { AttributeName: 'GSI1PK', KeyType: 'HASH' },
          { AttributeName: 'GSI1SK', KeyType: 'RANGE' },
        ],
        Projection: { ProjectionType: 'ALL' },
      },
    ])
  })
})

test('has a stream of old and new images if the engine has streams', () => {
  const stream = { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' }
  expect(tableDefinition('ZAEL-x', { stream: true }).StreamSpecification).toEqual(stream)
  expect(tableDefinition('ZAEL-x', { stream: false }).StreamSpecification).toBeUndefined()
})

test('fails if the store is unavailable', async () => {
  const engine = await startDynalite()
  await engine.close()
  const client = createTestClient(engine.endpoint)
  await expect(ensureTable(client, 'ZAEL-x')).rejects.toMatchObject({ name: 'StoreUnavailable' })
  client.close()
})

describe('a new table', () => {
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
})
