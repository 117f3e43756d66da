import { GetItemCommand } from '@aws-sdk/client-dynamodb'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { UsageStore } from '../../../src/core/model/usage.ts'
import { createDynamoUsageStore } from '../../../src/store/dynamodb/usage-store.ts'
import { startTestTable, type TestTable } from '../../engine/test-table.ts'
import { usageStoreSuite } from '../usage-store-suite.ts'

let table: TestTable

let store: UsageStore

beforeAll(async () => {
  table = await startTestTable()
  store = createDynamoUsageStore(table.client, table.tableName)
})

afterAll(() => table.close())

usageStoreSuite('DynamoDB', () => store)

test('keeps an hour as people can read it, and lets it go after 400 days', async () => {
  await store.record({
    entityId: 'key-bob',
    resource: 'gpt-4',
    born: 7n,
    hourStart: 1_789_999_200,
    from: { used_requests: 1n },
    to: { used_requests: 3n },
    rev: 9n,
  })
  const { Item } = await table.client.run((sdk) =>
    sdk.send(
      new GetItemCommand({
        TableName: table.tableName,
        Key: { PK: { S: 'ENTITY#key-bob' }, SK: { S: 'USAGE#hour#1789999200#gpt-4#7' } },
      }),
    ),
  )
  expect(Item).toMatchObject({
    from: { M: { used_requests: { N: '1' } } },
    to: { M: { used_requests: { N: '3' } } },
    rev: { N: '9' },
    ttl: { N: String(1_789_999_200 + 400 * 86_400) },
  })
})
