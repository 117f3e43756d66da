import { expect, test } from 'vitest'
import { noMetrics, silentLogger } from '../../src/core/ports/platform.ts'
import { createAggregator } from '../../src/usage/aggregator.ts'
import { bucketRecord, entityBucketOf, HOUR_ZERO } from './bucket-records.ts'
import { createTestUsageStore } from './test-usage-store.ts'

const write = (sequence: number, requests: number, entityId = 'key-bob') =>
  bucketRecord({
    entityId,
    sequence,
    seconds: sequence,
    new: { born: 1, rev: sequence, counters: { used_requests: requests } },
    ...(sequence > 1
      ? { old: { born: 1, rev: sequence - 1, counters: { used_requests: requests - 1 } } }
      : {}),
  })

const start = () => {
  const usageStore = createTestUsageStore()
  const lines: string[] = []
  const logger = { ...silentLogger, error: (message: string) => lines.push(message) }
  return {
    usageStore,
    lines,
    aggregator: createAggregator({ usageStore, entityBucketOf, logger, metrics: noMetrics }),
  }
}

const key = `key-bob#gpt-4#${HOUR_ZERO}`

test('a batch is recorded once, however often it is delivered', async () => {
  const { usageStore, aggregator } = start()
  const event = { Records: [write(1, 1), write(2, 2), write(3, 3)] }
  expect(await aggregator.handle(event)).toEqual({ batchItemFailures: [] })
  await aggregator.handle(event)
  expect(await usageStore.totals()).toEqual({ [key]: { requests: 3 } })
})

test('the use of the first record of an hour is kept if it is redriven after the rest', async () => {
  const { usageStore, aggregator } = start()
  await aggregator.handle({ Records: [write(2, 2), write(3, 3)] })
  expect(await usageStore.totals()).toEqual({ [key]: { requests: 2 } })
  await aggregator.handle({ Records: [write(1, 1)] })
  expect(await usageStore.totals()).toEqual({ [key]: { requests: 3 } })
})

test('the first record of an item whose use could not be written is reported', async () => {
  const { usageStore, aggregator, lines } = start()
  usageStore.crashAfter(0)
  const event = { Records: [write(1, 1), write(2, 2)] }
  expect(await aggregator.handle(event)).toEqual({ batchItemFailures: [{ itemIdentifier: '1' }] })
  expect(lines).toEqual(['usage not recorded'])
})

test('the rest of a batch with a poison record is recorded, and that record reported', async () => {
  const { usageStore, aggregator } = start()
  const { dynamodb } = write(2, 2, 'key-eve')
  const poison = { dynamodb: { ...dynamodb, NewImage: { rev: { S: 'x' } } } }
  const event = { Records: [write(1, 1), poison, write(3, 1)] }
  expect(await aggregator.handle(event)).toEqual({ batchItemFailures: [{ itemIdentifier: '2' }] })
  expect(await usageStore.totals()).toEqual({ [key]: { requests: 1 } })
})
