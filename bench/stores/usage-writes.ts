import { STREAM_BATCHES } from '../../lib/bundle-lambda.ts'
import { entityBucket } from '../../src/core/bucket/bucket-store.ts'
import { noMetrics, silentLogger } from '../../src/core/ports/platform.ts'
import { entityBucketOf } from '../../src/store/dynamodb/table-keys.ts'
import { createMemoryBucketStore } from '../../src/store/memory/bucket-store.ts'
import { createRecordHour } from '../../src/store/usage-hours.ts'
import { createAggregator } from '../../src/usage/aggregator.ts'
import type { StreamRecord } from '../../src/usage/stream-usage.ts'

/** A record of the table's stream, and its time by the clock of its contender, which only counts its own turns. */
export interface TimedRecord {
  /** JSON, as a Lambda receives it. */
  readonly text: string
  readonly atMs: number
}

/** The maximum size of Lambda's batch, in bytes. https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
const MAX_BYTES = 6_000_000

/** The batches that Lambda forms of a shard: full, or 5 s after the first record. Records are in stream order. */
export const batchesOf = (records: readonly TimedRecord[]): readonly (readonly TimedRecord[])[] => {
  const batches: TimedRecord[][] = []
  let [bytes, startMs] = [0, 0]
  for (const record of records) {
    const current = batches.at(-1)
    const isOver = record.atMs - startMs >= STREAM_BATCHES.windowSeconds * 1000
    bytes += record.text.length
    if (current === undefined || current.length >= STREAM_BATCHES.size || bytes > MAX_BYTES || isOver) {
      batches.push([record])
      bytes = record.text.length
      startMs = record.atMs
    } else current.push(record)
  }
  return batches
}

/** The number of writes that the aggregator makes for the records. Throws if it could not read one. */
export const countUsageWrites = async (records: readonly TimedRecord[]): Promise<number> => {
  let writes = 0
  const hours = createMemoryBucketStore()
  const record = createRecordHour(({ entityId, hourStart, resource, born }, write) => {
    writes++
    return hours.write(entityBucket(entityId, `${hourStart}#${resource}#${born}`), write)
  })
  const aggregator = createAggregator({
    usageStore: { record },
    entityBucketOf,
    logger: silentLogger,
    metrics: noMetrics,
  })
  for (const batch of batchesOf(records)) {
    const Records = batch.map(({ text }): StreamRecord => JSON.parse(text))
    const { batchItemFailures: failures } = await aggregator.handle({ Records })
    if (failures.length > 0) throw new Error(`the aggregator failed on ${failures.length} records`)
  }
  return writes
}
