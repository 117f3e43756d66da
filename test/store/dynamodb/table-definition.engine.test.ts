import { DescribeTableCommand } from '@aws-sdk/client-dynamodb'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { set } from '../../../src/core/bucket/write.ts'
import { createDynamoBucketStore } from '../../../src/store/dynamodb/bucket-store.ts'
import { ensureTable, tableDefinition } from '../../../src/store/dynamodb/table-definition.ts'
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
