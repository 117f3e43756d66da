import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { entityBucket } from '../../../src/core/bucket/bucket-store.ts'
import { createDynamoBucketStore } from '../../../src/store/dynamodb/bucket-store.ts'
import { createDynamoIdempotencyStore } from '../../../src/store/dynamodb/idempotency-store.ts'
import { createDynamoReservationStore } from '../../../src/store/dynamodb/reservation-store.ts'
import { createTestClient, startTestTable, type TestTable } from '../../engine/test-table.ts'
import { ALICE, type CheckingApp, createCheckingApp } from './checking-app.ts'

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
  test("settle each other's reservations, once, and in full detail", async () => {
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

  test('execute one of many requests with a key, and return the same response or a conflict for the others', async () => {
    const [here, there] = nodes
    const before = (await here.left('tpm')) ?? 0
    const body = { idempotency_key: 'order 66', reserve: true, cost: { tokens: 10 } }
    const responses = await Promise.all(
      [here, there, here, there, here, there].map((node) => node.check(body)),
    )
    const passed = responses.filter(({ status }) => status === 200)
    expect(responses.filter(({ status }) => status === 409)).toHaveLength(responses.length - passed.length)
    expect(passed.length).toBeGreaterThanOrEqual(1)
    const late = await there.check(body)
    for (const response of passed) expect(response.body).toEqual(late.body)
    expect(await there.left('tpm')).toBe(before - 10)
  })

  test('decide a denied request again under its key, and store no record of it', async () => {
    const [here, there] = nodes
    const body = { idempotency_key: 'too much', cost: { tokens: 5000 } }
    const [first, again] = [await here.check(body), await there.check(body)]
    expect([first.status, again.status]).toEqual([429, 429])
    expect(again.headers.get('x-should-retry')).toBe('false')
    expect((await there.check({ ...body, cost: { tokens: 1 } })).status).toBe(200)
  })

  test('charge a parent what the caller had available, whatever is settled on both at once', async () => {
    const [here, there] = nodes
    await here.send('PUT', '/api/limits/proj-demo', {
      body: { limits: [{ name: 'rpm', capacity: 1000, refill_rate: 1 / 3600 }] },
    })
    there.deps.limiter.forget()
    const reserve = async (node: CheckingApp) =>
      (await node.passes({ reserve: true, cost: { requests: 1 } }, ALICE)).reservation_id
    const ids = [await reserve(here), await reserve(there), await reserve(here), await reserve(there)]
    const cost = { requests: Number.MAX_SAFE_INTEGER, tokens: Number.MAX_SAFE_INTEGER }
    const endings = await Promise.all(
      ids.map((reservation_id, at) => (at < 2 ? here : there).end('settle', { reservation_id, cost }, ALICE)),
    )
    expect(endings.map(({ status }) => status)).toEqual([200, 200, 200, 200])
    const { limits } = await here.deps.limiter.status('proj-demo', '_default_')
    expect(limits[0]?.available).toBe(990)
    const bucket = (await here.table.buckets.read(entityBucket('key-alice', '_default_'))) ?? {}
    expect(bucket.used_requests).toBe(4n * BigInt(Number.MAX_SAFE_INTEGER))
  })

  test("extend each other's reservations", async () => {
    const [here, there] = nodes
    const { reservation_id, expires_at = 0 } = await here.passes({ reserve: true, cost: { tokens: 1 } })
    const response = await there.end('extend', { reservation_id, expires_in_seconds: 3600 })
    expect(response).toMatchObject({ status: 200, body: { extended: true, expires_at: expires_at + 3000 } })
  })
})
