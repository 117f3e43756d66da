import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseLimits } from '../../../src/contract/limits.ts'
import { newEntity } from '../../../src/core/admin/entities.ts'
import { type DynamoDbStore, dynamoDbStore } from '../../../src/library/dynamodb.ts'
import { createRateLimiter, silentLogger } from '../../../src/library/index.ts'
import { createDynamoAdminStore } from '../../../src/store/dynamodb/admin/admin-store.ts'
import { startDynalite, TEST_CREDENTIALS, type TestEngine } from '../../engine/start-dynalite.ts'
import { createTestClient, testClock } from '../../engine/test-table.ts'

const TABLE = 'ZAEL-library'
const LIMITS = [{ name: 'rph', capacity: 10, refill_rate: 10 / 3600 }]

let engine: TestEngine
let stores: DynamoDbStore[] = []

const open = (): DynamoDbStore => {
  const store = dynamoDbStore({
    tableName: TABLE,
    endpoint: engine.endpoint,
    region: 'us-east-1',
    credentials: TEST_CREDENTIALS,
    deadlineMs: 10_000,
    logger: silentLogger,
  })
  stores.push(store)
  return store
}

beforeAll(async () => {
  engine = await startDynalite()
  expect(await open().createTable()).toBe('created')
  expect(await open().createTable()).toBe('exists')
})

afterAll(async () => {
  for (const store of stores) store.close()
  stores = []
  await engine.close()
})

test('two processes on one table keep one limit', async () => {
  const limiters = [1, 2].map(() =>
    createRateLimiter({ store: open(), limits: LIMITS, logger: silentLogger }),
  )
  const decisions = await Promise.all(
    Array.from({ length: 30 }, (_, i) => limiters[i % 2]?.check('203.0.113.7')),
  )
  expect(decisions.filter((decision) => decision?.allowed)).toHaveLength(10)
  await Promise.all(limiters.map((limiter) => limiter.close()))
  const [bucket] = await open().buckets.list('app:203.0.113.7')
  expect(bucket?.item).toMatchObject({ used_requests: 10n, denied: 20n })
})

test('with leases, most checks of a busy key need no write, and close refunds what is left', async () => {
  let writes = 0
  const metrics = { count: (name: string) => (writes += name === 'bucket_writes' ? 1 : 0) }
  const limits = [{ name: 'rpd', capacity: 100_000, refill_rate: 1 / 3600 }]
  const limiter = createRateLimiter({
    ...{ store: open(), name: 'leased', limits, leaseTtlMs: 60_000, metrics, logger: silentLogger },
  })
  for (let count = 0; count < 400; count++) expect((await limiter.check('k')).allowed).toBe(true)
  expect(writes).toBeLessThan(100)
  await limiter.close()
  const { limits: left } = await createRateLimiter({
    ...{ store: open(), name: 'leased', limits, logger: silentLogger },
  }).check('k', { cost: {} })
  expect(left).toMatchObject([{ used: 400 }])
})

test('an app may pass its own client for region, endpoint and credentials', async () => {
  const client = new DynamoDBClient({
    endpoint: engine.endpoint,
    region: 'us-east-1',
    credentials: TEST_CREDENTIALS,
    maxAttempts: 5,
  })
  const store = dynamoDbStore({ tableName: TABLE, client, deadlineMs: 10_000, logger: silentLogger })
  stores.push(store)
  const limiter = createRateLimiter({ store, limits: LIMITS, name: 'other', logger: silentLogger })
  expect((await limiter.check('203.0.113.7')).limits).toMatchObject([
    { entityId: 'other:203.0.113.7', used: 1 },
  ])
  await limiter.close()
  client.destroy()
})

describe('with the configuration of the table', () => {
  test('an app shares the entities and limits of a deployed zael', async () => {
    const client = createTestClient(engine.endpoint)
    const admin = createDynamoAdminStore(client, TABLE, testClock)
    const audit = {
      id: '1',
      at: 1n,
      actor: 'test',
      action: 'test',
      subject: 'test',
      before: null,
      after: null,
    }
    await admin.createEntity(newEntity({ id: 'key-bob', name: 'Bob' }, 1n), audit)
    await admin.putLimitSet(
      { owner: { kind: 'entity', id: 'key-bob' }, resource: '_default_' },
      { limits: parseLimits([{ name: 'rpm', capacity: 2, refill_rate: 0.01 }], 'limits'), version: 1n },
      null,
      audit,
    )
    client.close()
    const limiter = createRateLimiter({ store: open(), config: 'table', logger: silentLogger })
    const { limits } = await limiter.check('key-bob')
    expect(limits).toMatchObject([{ entityId: 'key-bob', name: 'rpm', capacity: 2, available: 1 }])
    await expect(limiter.check('key-nobody')).rejects.toMatchObject({ code: 'not_found' })
    await limiter.close()
  })
})
