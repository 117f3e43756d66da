import { GetItemCommand } from '@aws-sdk/client-dynamodb'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { AlertEventStore } from '../../../src/core/ports/alert-store.ts'
import { createDynamoAlertEventStore } from '../../../src/store/dynamodb/alert-event-store.ts'
import { toItem } from '../../../src/store/dynamodb/attributes.ts'
import { startTestTable, type TestTable } from '../../engine/test-table.ts'
import { alertEventStoreSuite } from '../alert-event-store-suite.ts'
import { anAlertEvent, TODAY } from '../store-fixtures.ts'

let table: TestTable

let store: AlertEventStore

beforeAll(async () => {
  table = await startTestTable()
  store = createDynamoAlertEventStore(table.client, table.tableName)
})

afterAll(() => table.close())

alertEventStoreSuite('DynamoDB', () => store)

test('an event is one readable item, kept for 90 days after its window', async () => {
  const event = anAlertEvent({ bucket: 'ENTITY#team-a#_total_', id: 'alert_1' })
  await store.raise(event)
  const Key = toItem({
    PK: 'ALERT#ENTITY#team-a#_total_#usd_month#2026-09-21T14:13:20.000000000Z#0.8',
    SK: 'ops',
  })
  const { Item } = await table.client.run((sdk) =>
    sdk.send(new GetItemCommand({ TableName: table.tableName, Key })),
  )
  expect(Item).toMatchObject({
    GSI1PK: { S: 'ALERT_EVENTS#pending' },
    GSI1SK: { S: '2026-09-21T14:13:20.000000000Z#alert_1' },
    state: { S: 'pending' },
    limit_name: { S: 'usd_month' },
    used: { N: '80100000' },
    ttl: { N: String(TODAY / 1_000_000_000n + 120n * 86_400n) },
  })
})
