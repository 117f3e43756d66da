import { afterEach, expect, test } from 'vitest'
import { createDelivery, createRecordQueue } from '../../bin/serve/delivery.ts'
import { entityBucket } from '../../src/core/bucket/bucket-store.ts'
import { add, set, setIfMissing } from '../../src/core/bucket/write.ts'
import { DAY_SECONDS } from '../../src/core/model/time.ts'
import type { UsageQuery } from '../../src/core/model/usage.ts'
import { noMetrics, silentLogger } from '../../src/core/ports/platform.ts'
import { type Engine, startEngine } from '../../src/embedded/engine.ts'
import { systemClock } from '../../src/platform/runtime.ts'
import { createDynamoBucketStore } from '../../src/store/dynamodb/bucket-store.ts'
import { createDynamoClient, type DynamoClient } from '../../src/store/dynamodb/client.ts'
import { ensureTable } from '../../src/store/dynamodb/table-definition.ts'
import { entityBucketOf } from '../../src/store/dynamodb/table-keys.ts'
import { createDynamoUsageStore } from '../../src/store/dynamodb/usage-store.ts'
import { createAggregator } from '../../src/usage/aggregator.ts'
import type { StreamRecord } from '../../src/usage/stream-usage.ts'

const tableName = 'ZAEL-feed'

let engine: Engine | undefined

let client: DynamoClient | undefined

afterEach(async () => {
  client?.close()
  await engine?.stop()
})

const start = async () => {
  const records: StreamRecord[] = []
  engine = await startEngine({ port: 0, dataDir: undefined, tableName }, (some) => records.push(...some))
  client = createDynamoClient({
    clock: systemClock,
    endpoint: engine.endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    deadlineMs: 10_000,
  })
  await ensureTable(client, tableName, { stream: false })
  const usageStore = createDynamoUsageStore(client, tableName)
  const aggregator = createAggregator({
    usageStore,
    entityBucketOf,
    logger: silentLogger,
    metrics: noMetrics,
  })
  const queue = createRecordQueue(createDelivery({ aggregator, logger: silentLogger }))
  const { flush } = engine
  return {
    buckets: createDynamoBucketStore(client, tableName),
    usageStore,
    aggregator,
    async feed() {
      await flush()
      queue.add(records)
      await queue.drained()
      return records
    },
  }
}

/** Yesterday to tomorrow: the test may run at midnight. */
const daysOfBob = (): UsageQuery => {
  const now = Math.floor(Date.now() / 1000)
  return { entityId: 'key-bob', granularity: 'day', from: now - 2 * DAY_SECONDS, to: now + DAY_SECONDS }
}

const use = (born: bigint, requests: bigint, tokens: bigint) => ({
  conditions: [],
  actions: [
    setIfMissing('born', born),
    add('rev', 1n),
    add('used_requests', requests),
    add('used_tokens', tokens),
    add('denied', 1n),
  ],
})

test('real writes are counted by the hour, and not again when their records are repeated', async () => {
  const { buckets, usageStore, aggregator, feed } = await start()
  const writes = ['key-alice', 'key-bob'].flatMap((id) =>
    Array.from({ length: 30 }, () => buckets.write(entityBucket(id, 'gpt-4'), use(7n, 1n, 40n))),
  )
  await Promise.all(writes)
  await buckets.write({ kind: 'policy', scope: 'GLOBAL', selector: '*' }, use(7n, 1n, 40n))
  const records = await feed()

  const usage = async () =>
    (await usageStore.usage(daysOfBob())).map(({ used, denied }) => [used.requests, used.tokens, denied])
  expect(await usage()).toEqual([[30, 1200, 30]])
  await aggregator.handle({ Records: records.slice(5, 40) })
  await aggregator.handle({ Records: records })
  expect(await usage()).toEqual([[30, 1200, 30]])
})

test('the generations of a bucket that was reset in between are added up', async () => {
  const { buckets, usageStore, feed } = await start()
  const bucket = entityBucket('key-bob', 'gpt-4')
  await buckets.write(bucket, use(7n, 2n, 10n))
  const fresh = [
    set('born', 8n),
    add('rev', 1n),
    set('used_requests', 0n),
    set('used_tokens', 0n),
    set('denied', 0n),
  ]
  await buckets.write(bucket, { conditions: [], actions: fresh })
  await buckets.write(bucket, use(8n, 3n, 5n))
  await feed()
  const [point] = await usageStore.usage(daysOfBob())
  expect(point).toMatchObject({ used: { requests: 5, tokens: 15 }, denied: 2 })
})
