import { setTimeout as pause } from 'node:timers/promises'
import type { Logger } from '../../src/core/ports/platform.ts'
import type { Aggregator } from '../../src/usage/aggregator.ts'
import type { StreamRecord } from '../../src/usage/stream-usage.ts'

export interface DeliveryOptions {
  readonly aggregator: Aggregator
  readonly logger: Logger
  /** Attempts per record before it is dropped. */
  readonly attempts?: number
  /** The first pause after a failure, in ms; it doubles. */
  readonly pauseMs?: number
}

/** Delivers records to the aggregator in order, as a Lambda's event source does. */
export type Deliver = (records: readonly StreamRecord[]) => Promise<void>

const BATCH = 500

/** The index of the first record that the aggregator reported; -1: none. */
const firstFailure = async (aggregator: Aggregator, records: readonly StreamRecord[]): Promise<number> => {
  const { batchItemFailures } = await aggregator.handle({ Records: records })
  const failed = new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier))
  if (failed.has('')) return 0
  return records.findIndex((record) => failed.has(record.dynamodb?.SequenceNumber ?? ''))
}

/** The number of records at the start of the batch that are finished; at least 1. */
const deliverBatch = async (
  { aggregator, logger, attempts = 5, pauseMs = 100 }: DeliveryOptions,
  batch: readonly StreamRecord[],
): Promise<number> => {
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const failed = await firstFailure(aggregator, batch)
    if (failed !== 0) return failed === -1 ? batch.length : failed
    await pause(pauseMs * 2 ** attempt)
  }
  logger.error('usage record dropped', { keys: batch[0]?.dynamodb?.Keys })
  return 1
}

/**
 * Reading resumes at the first failed record. A record that fails `attempts` times in a row is logged and dropped, so that it
 * does not stop the others. Never rejects.
 */
export const createDelivery =
  (options: DeliveryOptions): Deliver =>
  async (records) => {
    for (let place = 0; place < records.length; ) {
      place += await deliverBatch(options, records.slice(place, place + BATCH))
    }
  }

/** Records that wait for the aggregator; one delivery at a time. */
export interface RecordQueue {
  add(records: readonly StreamRecord[]): void
  /** Resolves when all added records have been delivered or dropped. */
  drained(): Promise<void>
}

export const createRecordQueue = (deliver: Deliver): RecordQueue => {
  let waiting: StreamRecord[] = []
  let isDelivering = false
  let delivered = Promise.resolve()
  const work = async (): Promise<void> => {
    isDelivering = true
    while (waiting.length > 0) {
      const records = waiting
      waiting = []
      await deliver(records)
    }
    isDelivering = false
  }
  return {
    add(records) {
      waiting = waiting.concat(records)
      if (!isDelivering) delivered = work()
    },
    drained: () => delivered,
  }
}
