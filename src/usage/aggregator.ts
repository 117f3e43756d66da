import pLimit from 'p-limit'
import { errorMessage } from '../core/model/errors.ts'
import type { UsageStore } from '../core/model/usage.ts'
import type { Logger, Metrics } from '../core/ports/platform.ts'
import type { AlertObserver } from './alert-observer.ts'
import {
  type BatchHour,
  type EntityBucketOf,
  type RecordFailure,
  type StreamBatchResponse,
  type StreamEvent,
  usageOfBatch,
} from './stream-usage.ts'

export interface AggregatorDependencies {
  readonly usageStore: Pick<UsageStore, 'record'>
  /** Supplied by the store, which defines the table's keys. */
  readonly entityBucketOf: EntityBucketOf
  /** Puts the events of alerts. Default: there are none. */
  readonly observeAlerts?: AlertObserver['observe']
  readonly logger: Logger
  readonly metrics: Metrics
}

/** Aggregates the table's stream into usage per hour, and raises alerts. */
export interface Aggregator {
  /**
   * Records a batch. Idempotent: any part of any batch may be repeated any number of times. Records that could not be read or
   * written are reported by sequence number. Never throws.
   * https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html
   */
  handle(event: StreamEvent): Promise<StreamBatchResponse>
}

const WRITES_AT_ONCE = 16

const recordAll = async (
  hours: readonly BatchHour[],
  usageStore: AggregatorDependencies['usageStore'],
): Promise<readonly RecordFailure[]> => {
  const failures: RecordFailure[] = []
  await pLimit(WRITES_AT_ONCE).map(hours, async ({ hour, firstRecord }) => {
    try {
      await usageStore.record(hour)
    } catch (error) {
      failures.push({ record: firstRecord, reason: errorMessage(error) })
    }
  })
  return failures
}

const inOrder = (failures: readonly RecordFailure[]): readonly RecordFailure[] =>
  failures.toSorted((a, b) => a.record - b.record)

/** Creates the aggregator that receives a stream's batches. */
export const createAggregator = ({
  usageStore,
  entityBucketOf,
  observeAlerts = async () => [],
  logger,
  metrics,
}: AggregatorDependencies): Aggregator => ({
  async handle({ Records: records }) {
    const { hours, poison } = usageOfBatch(records, entityBucketOf)
    const unwritten = await recordAll(hours, usageStore)
    metrics.count('usage_hours_recorded', hours.length - unwritten.length)
    const failures = inOrder([...poison, ...unwritten])
    const unobserved = inOrder(await observeAlerts(records))
    const sequenceNumberOf = ({ record }: RecordFailure): string =>
      records[record]?.dynamodb?.SequenceNumber ?? ''
    const [first] = failures
    if (first !== undefined) {
      metrics.count('usage_records_failed', failures.length)
      logger.error('usage not recorded', {
        sequenceNumber: sequenceNumberOf(first),
        reason: first.reason,
        failures: failures.length,
        poison: poison.length,
      })
    }
    const [missed] = unobserved
    if (missed !== undefined) {
      const { reason } = missed
      logger.error('alerts not raised: the records will be read again', {
        reason,
        failures: unobserved.length,
      })
    }
    const identifiers = inOrder([...failures, ...unobserved]).map(sequenceNumberOf)
    return { batchItemFailures: [...new Set(identifiers)].map((itemIdentifier) => ({ itemIdentifier })) }
  },
})
