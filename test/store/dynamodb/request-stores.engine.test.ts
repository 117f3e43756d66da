import { GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ReservationStore } from '../../../src/core/charge/reservation-store.ts'
import type { IdempotencyStore } from '../../../src/core/ports/idempotency-store.ts'
import { toItem } from '../../../src/store/dynamodb/attributes.ts'
import { createDynamoIdempotencyStore } from '../../../src/store/dynamodb/idempotency-store.ts'
import { createDynamoReservationStore } from '../../../src/store/dynamodb/reservation-store.ts'
import { startTestTable, type TestTable } from '../../engine/test-table.ts'
import { aBeginning, idempotencyStoreSuite, RESPONSE } from '../idempotency-store-suite.ts'
import { aReservation, reservationStoreSuite } from '../reservation-store-suite.ts'
import { TODAY } from '../store-fixtures.ts'

describe('records of idempotency keys', () => {
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
})

describe('reservations', () => {
  let table: TestTable

  let store: ReservationStore

  beforeAll(async () => {
    table = await startTestTable()
    store = createDynamoReservationStore(table.client, table.tableName)
  })

  afterAll(() => table.close())

  reservationStoreSuite('DynamoDB', () => store)

  const keyOf = (id: string) => ({ PK: { S: `RESERVATION#${id}` }, SK: { S: 'META' } })

  test('keeps a reservation as people can read it, for a day after it expires', async () => {
    const reservation = aReservation()
    await store.put(reservation)
    await store.close({
      id: reservation.id,
      ownerId: 'key-bob',
      as: 'released',
      now: TODAY + 5n,
      closedBy: 'node-1',
    })
    const { Item } = await table.client.run((sdk) =>
      sdk.send(new GetItemCommand({ TableName: table.tableName, Key: keyOf(reservation.id) })),
    )
    expect(Item).toMatchObject({
      owner: { S: 'key-bob' },
      state: { S: 'released' },
      reserved: { M: { requests: { N: '1' }, tokens: { N: '300' } } },
      buckets: {
        L: [
          {
            M: {
              kind: { S: 'entity' },
              entity_id: { S: 'key-bob' },
              resource: { S: 'org/gpt-4' },
              born: { N: String(TODAY - 5n) },
              charged_at: { N: String(TODAY + 123_456_789n) },
              limits: {
                L: [
                  {
                    M: {
                      name: { S: 'tpm' },
                      meter: { S: 'tokens' },
                      limit: { S: 'token_bucket 1000 per 60s' },
                      version: { N: String(TODAY) },
                      charged: { N: '300' },
                      refund: { S: 'strict' },
                      memory: {
                        M: { left: { N: '18000000000' }, refunded: { N: '0' }, slots: { S: 'a1 a2' } },
                      },
                    },
                  },
                  { M: { name: { S: 'rpm' }, refund: { S: 'full' }, soft: { BOOL: false } } },
                ],
              },
            },
          },
          { M: { kind: { S: 'policy' }, scope: { S: 'USER_MODEL' }, selector: { S: 'ann#org/gpt-4' } } },
          { M: { kind: { S: 'entity' }, entity_id: { S: 'proj-demo' }, resource: { S: '_total_' } } },
        ],
      },
      closed_at: { S: '2026-09-21T14:13:20.000000005Z' },
      ttl: { N: String(TODAY / 1_000_000_000n + 600n + 86_400n) },
    })
  })

  test('names the item that cannot be read', async () => {
    const broken = toItem({ owner: 'key-bob', state: 'open', expires_at: '2126-01-01T00:00:00.000000000Z' })
    await table.client.run((sdk) =>
      sdk.send(new PutItemCommand({ TableName: table.tableName, Item: { ...keyOf('broken'), ...broken } })),
    )
    const closing = { id: 'broken', ownerId: 'key-bob', as: 'settled', now: TODAY, closedBy: 'x' } as const
    await expect(store.close(closing)).rejects.toThrow(/RESERVATION#broken.*reserved/)
  })
})
