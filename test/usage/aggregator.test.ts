import { expect, test } from 'vitest'
import { noMetrics, silentLogger } from '../../src/core/ports/platform.ts'
import { createAggregator } from '../../src/usage/aggregator.ts'
import { usageOfBatch } from '../../src/usage/stream-usage.ts'
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

const state = (rev: number, requests: number, born = 1) => ({
  born,
  rev,
  counters: { used_requests: requests },
})

const hoursOf = (...writes: Parameters<typeof bucketRecord>[0][]) =>
  usageOfBatch(
    writes.map((write, place) => bucketRecord({ sequence: place, ...write })),
    entityBucketOf,
  ).hours.map(({ hour }) => hour)

test('the use of an hour is the difference of the first old and the last new image of a bucket', () => {
  const hours = hoursOf(
    { old: state(4, 10), new: state(5, 11) },
    { old: state(5, 11), new: state(6, 13) },
    { old: state(6, 13), new: state(7, 20) },
  )
  expect(hours).toEqual([
    {
      entityId: 'key-bob',
      resource: 'gpt-4',
      born: 1n,
      hourStart: HOUR_ZERO,
      rev: 7n,
      from: { used_requests: 10n },
      to: { used_requests: 20n },
    },
  ])
})

test('a bucket that starts with the write is counted in full', () => {
  expect(hoursOf({ new: state(1, 3) })).toMatchObject([
    { from: { used_requests: 0n }, to: { used_requests: 3n } },
  ])
})

test('an old image of another generation counts as 0', () => {
  expect(hoursOf({ old: state(9, 50, 1), new: state(10, 2, 2) })).toMatchObject([
    { born: 2n, from: { used_requests: 0n }, to: { used_requests: 2n } },
  ])
})

test('the generations of a bucket are counted separately', () => {
  const hours = hoursOf(
    { old: state(1, 5, 1), new: state(2, 8, 1) },
    { old: state(2, 8, 1), new: state(3, 1, 2) },
  )
  expect(hours).toMatchObject([
    { born: 1n, from: { used_requests: 5n }, to: { used_requests: 8n } },
    { born: 2n, from: { used_requests: 0n }, to: { used_requests: 1n } },
  ])
})

test('a settlement after the end of the hour counts in the new hour, without negative use', () => {
  const hours = hoursOf(
    { new: state(1, 0), seconds: 3599 },
    { old: state(1, 0), new: state(2, 1), seconds: 3601 },
  )
  expect(hours).toMatchObject([
    { hourStart: HOUR_ZERO + 3600, from: { used_requests: 0n }, to: { used_requests: 1n } },
  ])
})

test('the hour never goes backwards within an item', () => {
  const hours = hoursOf(
    { new: state(1, 1), seconds: 3600 },
    { old: state(1, 1), new: state(2, 2), seconds: 3599 },
  )
  expect(hours).toMatchObject([{ hourStart: HOUR_ZERO + 3600, to: { used_requests: 2n } }])
})

test('the records of an item are ordered by their revision', () => {
  const hours = hoursOf({ old: state(1, 1), new: state(2, 5) }, { new: state(1, 1) })
  expect(hours).toMatchObject([{ rev: 2n, from: { used_requests: 0n }, to: { used_requests: 5n } }])
})

test('a meter that first appears in the middle of a batch counts from 0', () => {
  const hours = hoursOf(
    { old: state(1, 1), new: state(2, 2) },
    { old: state(2, 2), new: { born: 1, rev: 3, counters: { used_requests: 2, used_tokens: 40 } } },
  )
  expect(hours).toMatchObject([{ from: { used_requests: 1n, used_tokens: 0n }, to: { used_tokens: 40n } }])
})

test('denied decisions are counted and the counters of single limits ignored', () => {
  const hours = hoursOf({ new: { born: 1, rev: 1, counters: { denied: 2, denied_rpm: 2 } } })
  expect(hours).toMatchObject([{ to: { denied: 2n } }])
  expect(hours[0]?.to).not.toHaveProperty('denied_rpm')
})

test('a charge that is not yet settled has no use', () => {
  expect(hoursOf({ old: state(1, 7), new: state(2, 7) })).toEqual([])
})

test('deletions and items that are not buckets of an entity are left out', () => {
  expect(hoursOf({ old: state(1, 7) })).toEqual([])
  const usage = { PK: { S: 'ENTITY#key-bob' }, SK: { S: 'USAGE#hour#1#gpt-4#1' } }
  const policy = { PK: { S: 'POLICY#GLOBAL#*' }, SK: { S: 'BUCKET' } }
  const records = [usage, policy].map((keys) => ({
    dynamodb: { Keys: keys, NewImage: { ...keys, rev: { N: '1' } }, SequenceNumber: '1' },
  }))
  expect(usageOfBatch([...records, {}], entityBucketOf)).toEqual({ hours: [], poison: [] })
})

test('the time of the streams API is accepted like that of a Lambda event', () => {
  const { dynamodb } = bucketRecord({ new: state(1, 1) })
  const record = {
    dynamodb: { ...dynamodb, ApproximateCreationDateTime: new Date((HOUR_ZERO + 3700) * 1000) },
  }
  expect(usageOfBatch([record], entityBucketOf).hours[0]?.hour.hourStart).toBe(HOUR_ZERO + 3600)
})

test.each([
  ['born', { rev: { N: '1' } }],
  ['rev', { born: { N: '1' } }],
  ['used_requests', { born: { N: '1' }, rev: { N: '1' }, used_requests: { N: '-1' } }],
  ['used_tokens', { born: { N: '1' }, rev: { N: '1' }, used_tokens: { S: 'many' } }],
])('a bucket whose %s cannot be read is poison', (name, attributes) => {
  const { dynamodb } = bucketRecord({ new: state(1, 1) })
  const record = { dynamodb: { ...dynamodb, NewImage: { ...dynamodb?.Keys, ...attributes } } }
  const { hours, poison } = usageOfBatch([bucketRecord({ new: state(1, 1) }), record], entityBucketOf)
  expect(hours).toHaveLength(1)
  expect(poison).toEqual([{ record: 1, reason: expect.stringContaining(name) }])
})
