import pLimit from 'p-limit'
import type { UsageStore } from '../core/model/usage.ts'
import type { Logger, Metrics } from '../core/ports/platform.ts'
import {
  type BatchHour,
  type EntityBucketOf,
  type StreamBatchResponse,
  type StreamEvent,
  usageOfBatch,
} from './stream-usage.ts'

export interface AggregatorDependencies {
  readonly usageStore: Pick<UsageStore, 'record'>
  /** Supplied by the store, which defines the table's keys. */
  readonly entityBucketOf: EntityBucketOf
  readonly logger: Logger
  readonly metrics: Metrics
}

/** Aggregates the table's stream into usage per hour. */
export interface Aggregator {
  /**
   * Records a batch. Idempotent: any part of any batch may be repeated any number of times. Records that could not be read or
   * written are reported by sequence number. Never throws.
   * https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html
   */
  handle(event: StreamEvent): Promise<StreamBatchResponse>
}

interface Failure {
  readonly record: number
  readonly reason: string
}

const WRITES_AT_ONCE = 16

const recordAll = async (
  hours: readonly BatchHour[],
  usageStore: AggregatorDependencies['usageStore'],
): Promise<readonly Failure[]> => {
  const failures: Failure[] = []
  await pLimit(WRITES_AT_ONCE).map(hours, async ({ hour, firstRecord }) => {
    try {
      await usageStore.record(hour)
    } catch (error) {
      failures.push({ record: firstRecord, reason: error instanceof Error ? error.message : String(error) })
    }
  })
  return failures
}

/** Creates the aggregator that receives a stream's batches. */
export const createAggregator = ({
  usageStore,
  entityBucketOf,
  logger,
  metrics,
}: AggregatorDependencies): Aggregator => ({
  async handle({ Records: records }) {
    const { hours, poison } = usageOfBatch(records, entityBucketOf)
    const unwritten = await recordAll(hours, usageStore)
    metrics.count('usage_hours_recorded', hours.length - unwritten.length)
    const failures = [...poison, ...unwritten].toSorted((a, b) => a.record - b.record)
    const identifiers = failures.map(({ record }) => records[record]?.dynamodb?.SequenceNumber ?? '')
    const [first] = failures
    if (first !== undefined) {
      metrics.count('usage_records_failed', failures.length)
      logger.error('usage not recorded', {
        sequenceNumber: identifiers[0],
        reason: first.reason,
        failures: failures.length,
        poison: poison.length,
      })
    }
    return { batchItemFailures: [...new Set(identifiers)].map((itemIdentifier) => ({ itemIdentifier })) }
  },
})
