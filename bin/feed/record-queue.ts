import type { StreamRecord } from '../../src/usage/stream-record.ts'
import type { Deliver } from './deliver-in-order.ts'

/** Records on their way to the aggregator, one delivery at a time. */
export interface RecordQueue {
  add(records: readonly StreamRecord[]): void
  /** Resolves when everything that was added has been delivered or given up. */
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
