import type { StreamRecord } from '../usage/stream-usage.ts'
import type { ItemWrite } from './tapped-dynalite.ts'

/** Writes on their way to the aggregator, as records of a stream. */
export interface WriteFeed {
  add(write: ItemWrite): void
  /** Hands over what is waiting, now. */
  flush(): void
  stop(): void
}

export interface WriteFeedOptions {
  readonly onRecords: (records: readonly StreamRecord[]) => void
  /** How long records are gathered, in ms. */
  readonly gatherMs: number
  /** Wall clock, ms since the epoch. */
  readonly nowMs: () => number
}

/** Gathers records; their times never step back, as the hours of the aggregator need. */
export const createWriteFeed = ({ onRecords, gatherMs, nowMs }: WriteFeedOptions): WriteFeed => {
  let waiting: StreamRecord[] = []
  let lastMs = 0
  let sequence = 0
  const flush = (): void => {
    if (waiting.length === 0) return
    const records = waiting
    waiting = []
    onRecords(records)
  }
  const timer = setInterval(flush, gatherMs)
  return {
    add({ old, new: image }) {
      lastMs = Math.max(lastMs, nowMs())
      sequence += 1
      const { PK, SK } = image ?? old ?? {}
      waiting.push({
        dynamodb: {
          ...(PK && SK ? { Keys: { PK, SK } } : {}),
          ...(old ? { OldImage: old } : {}),
          ...(image ? { NewImage: image } : {}),
          SequenceNumber: String(sequence),
          ApproximateCreationDateTime: lastMs / 1000,
        },
      })
    },
    flush,
    stop() {
      clearInterval(timer)
      flush()
    },
  }
}
