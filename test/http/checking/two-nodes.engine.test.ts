import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createDynamoBucketStore } from '../../../src/store/dynamodb/dynamo-bucket-store.ts'
import { createDynamoIdempotencyStore } from '../../../src/store/dynamodb/dynamo-idempotency-store.ts'
import { createDynamoReservationStore } from '../../../src/store/dynamodb/dynamo-reservation-store.ts'
import { createTestClient, startTestTable, type TestTable } from '../../engine/test-table.ts'
import { type CheckingApp, createCheckingApp } from './checking-app.ts'

let engine: TestTable
let nodes: readonly [CheckingApp, CheckingApp]
const second = () => createTestClient(engine.endpoint)
let client: ReturnType<typeof second>

beforeAll(async () => {
  engine = await startTestTable()
  client = second()
  const tableOf = (of: typeof client) => ({
    buckets: createDynamoBucketStore(of, engine.tableName),
    reservations: createDynamoReservationStore(of, engine.tableName),
    idempotency: createDynamoIdempotencyStore(of, engine.tableName),
  })
  const here = await createCheckingApp({ table: tableOf(engine.client) })
  const there = await createCheckingApp({ table: { ...here.table, ...tableOf(client) } })
  nodes = [here, there]
})
afterAll(async () => {
  client.close()
  await engine.close()
})

describe('two nodes on one table of an engine', () => {
  test('settle what the other has reserved, once, and in full detail', async () => {
    const [here, there] = nodes
    const { reservation_id } = await here.passes({ reserve: true, cost: { requests: 1, tokens: 400 } })
    const endings = await Promise.all(
      [there, here, there, here].map((node) => node.end('settle', { reservation_id, cost: { tokens: 30 } })),
    )
    expect(endings.map(({ status }) => status)).toEqual([200, 200, 200, 200])
    expect(endings.filter(({ body }) => Object(body).settled)).toHaveLength(1)
    for (const node of nodes) await node.deps.limiter.flush({ all: true })
    expect([await there.left('tpm'), await here.left('rpm')]).toEqual([970, 9])
    expect(await here.stored()).toMatchObject({ used_tokens: 30n, used_requests: 1n })
  })

  test('answer one of many requests under a key, and all others with the same or not yet', async () => {
    const [here, there] = nodes
    const before = (await here.left('tpm')) ?? 0
    const body = { idempotency_key: 'order 66', reserve: true, cost: { tokens: 10 } }
    const answers = await Promise.all([here, there, here, there, here, there].map((node) => node.check(body)))
    const passed = answers.filter(({ status }) => status === 200)
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(answers.length - passed.length)
    expect(passed.length).toBeGreaterThanOrEqual(1)
    const late = await there.check(body)
    for (const answer of passed) expect(answer.body).toEqual(late.body)
    expect(await there.left('tpm')).toBe(before - 10)
  })

  test('remember a denial with its headers', async () => {
    const [here, there] = nodes
    const body = { idempotency_key: 'too much', cost: { tokens: 5000 } }
    const [first, again] = [await here.check(body), await there.check(body)]
    expect(first.status).toBe(429)
    expect([again.status, again.body]).toEqual([429, first.body])
    expect(again.headers.get('x-should-retry')).toBe('false')
  })
})
