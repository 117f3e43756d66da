import { GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ReservationStore } from '../../../src/core/charge/reservation-store.ts'
import { toItem } from '../../../src/store/dynamodb/attributes.ts'
import { createDynamoReservationStore } from '../../../src/store/dynamodb/reservation-store.ts'
import { startTestTable, type TestTable } from '../../engine/test-table.ts'
import { aReservation, reservationStoreSuite } from '../reservation-store-suite.ts'
import { TODAY } from '../store-fixtures.ts'

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
