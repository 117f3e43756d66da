import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type BucketStore, entityBucket } from '../../../src/core/bucket/bucket-store.ts'
import { set } from '../../../src/core/bucket/write.ts'
import { type Clock, type Logger, silentLogger } from '../../../src/core/ports/platform.ts'
import { createRateLimiter } from '../../../src/library/index.ts'
import { systemClock } from '../../../src/platform/runtime.ts'
import { createDynamoBucketStore } from '../../../src/store/dynamodb/bucket-store.ts'
import { createDynamoClient } from '../../../src/store/dynamodb/client.ts'
import { ensureTable } from '../../../src/store/dynamodb/table-definition.ts'
import { startDynalite, TEST_CREDENTIALS, type TestEngine } from '../../engine/start-dynalite.ts'
import { createTestClient, startTestTable, type TestTable, testClock } from '../../engine/test-table.ts'
import { algorithmWritesSuite } from '../algorithm-writes-suite.ts'
import { bucketStoreSuite } from '../bucket-store-suite.ts'
import { slotWritesSuite } from '../slot-writes-suite.ts'

const HOUR_NS = 3_600_000_000_000n

let table: TestTable

let store: BucketStore

beforeAll(async () => {
  table = await startTestTable()
  store = createDynamoBucketStore(table.client, table.tableName)
})

afterAll(() => table.close())

bucketStoreSuite('DynamoDB', () => store)

algorithmWritesSuite('DynamoDB', () => store)
slotWritesSuite('DynamoDB', () => store)

describe('a node whose clock is an hour ahead', () => {
  const clock: Clock = { now: () => testClock.now() + HOUR_NS, monotonic: testClock.monotonic }
  const id = entityBucket('behind-its-time', 'gpt-4')

  test('writes nothing, not even once', async () => {
    const client = createTestClient(table.endpoint, clock)
    const late = createDynamoBucketStore(client, table.tableName)
    const write = { conditions: [], actions: [set('tat', clock.now())] }
    await expect(late.write(id, write)).rejects.toMatchObject({
      name: 'StoreUnavailable',
      mayHaveApplied: false,
    })
    expect(await late.read(id)).toBeUndefined()
    client.close()
  })
})

const TABLE = 'ZAEL-clock'

const AHEAD_NS = 30_000_000_000n

let engine: TestEngine

const closing: (() => unknown)[] = []

beforeAll(async () => {
  engine = await startDynalite()
  const { client } = connect(0n)
  await ensureTable(client, TABLE, { stream: false })
})

afterAll(async () => {
  for (const close of closing.reverse()) await close()
  await engine.close()
})

const connect = (aheadNs: bigint) => {
  const lines: unknown[] = []
  const logger: Logger = { ...silentLogger, error: (...line) => void lines.push(line) }
  const clock = { ...systemClock, now: () => systemClock.now() + aheadNs }
  const client = createDynamoClient({
    ...{ clock, logger, tableName: TABLE, region: 'us-east-1', credentials: TEST_CREDENTIALS },
    ...{ endpoint: engine.endpoint, deadlineMs: 30_000 },
  })
  closing.push(client.close)
  return { client, clock, lines, buckets: createDynamoBucketStore(client, TABLE) }
}

const NAMES_THE_CLOCK = expect.stringMatching(
  /^the clock of this machine is (29|30)\.\d s ahead of the store's/,
)

test('a node whose clock is 30 s ahead is not healthy, and reports the clock in health, decision and log', async () => {
  const { buckets, clock, lines } = connect(AHEAD_NS)
  await expect(buckets.checkHealth()).rejects.toMatchObject({ isClockOff: true, reason: NAMES_THE_CLOCK })
  const limits = [{ name: 'rpm', capacity: 5, refill_rate: 1 }]
  const store = { buckets, close: () => {} }
  const limiter = createRateLimiter({ store, limits, clock, logger: silentLogger })
  expect(await limiter.check('a')).toMatchObject({
    allowed: false,
    unavailable: true,
    unavailableCause: NAMES_THE_CLOCK,
  })
  await limiter.close()
  expect(lines).toEqual([['store unavailable', expect.objectContaining({ reason: NAMES_THE_CLOCK })]])
})

test('a node whose clock is right is healthy', async () => {
  await expect(connect(0n).buckets.checkHealth()).resolves.toBeUndefined()
})
