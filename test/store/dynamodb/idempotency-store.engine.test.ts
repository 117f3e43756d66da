import { GetItemCommand } from '@aws-sdk/client-dynamodb'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { IdempotencyStore } from '../../../src/core/ports/idempotency-store.ts'
import { createDynamoIdempotencyStore } from '../../../src/store/dynamodb/idempotency-store.ts'
import { startTestTable, type TestTable } from '../../engine/test-table.ts'
import { aBeginning, idempotencyStoreSuite, RESPONSE } from '../idempotency-store-suite.ts'
import { TODAY } from '../store-fixtures.ts'

let table: TestTable

let store: IdempotencyStore

beforeAll(async () => {
  table = await startTestTable()
  store = createDynamoIdempotencyStore(table.client, table.tableName)
})

afterAll(() => table.close())

idempotencyStoreSuite('DynamoDB', () => store)

test('stores a response in readable form for a day', async () => {
  const beginning = aBeginning({ key: { callerId: 'key-bob', keyHash: 'f00d' } })
  await store.begin(beginning)
  await store.finish(beginning, RESPONSE)
  const Key = { PK: { S: 'IDEMPOTENCY#key-bob#f00d' }, SK: { S: 'META' } }
  const { Item } = await table.client.run((sdk) =>
    sdk.send(new GetItemCommand({ TableName: table.tableName, Key })),
  )
  expect(Item).toEqual({
    ...Key,
    state: { S: 'answered' },
    body_sha256: { S: 'b0d1' },
    attempt: { S: beginning.attemptId },
    created_at: { S: '2026-09-21T14:13:20.000000000Z' },
    expires_at: { S: '2026-09-22T14:13:20.000000000Z' },
    answer: {
      M: {
        status: { N: '429' },
        headers: { M: { 'retry-after': { S: '2' } } },
        body: {
          M: {
            allowed: { BOOL: false },
            retry_after_seconds: { N: '1.881' },
            limits: { L: [{ M: { source: { S: 'entity' }, left: { NULL: true }, own: { BOOL: true } } }] },
          },
        },
      },
    },
    ttl: { N: String(TODAY / 1_000_000_000n + 86_400n) },
  })
})
