import type { Meter } from '../limit/meter.ts'

export const HOUR_SECONDS = 3600
export const DAY_SECONDS = 86_400

/** What was used of one resource in one hour, or in one UTC day. */
export interface UsagePoint {
  /** Seconds since the epoch: where the hour or day starts. */
  readonly start: number
  readonly resource: string
  readonly used: Readonly<Record<Meter, number>>
  readonly denied: number
}

export interface UsageQuery {
  readonly entityId: string
  /** One resource; undefined: all but `_total_`. */
  readonly resource?: string
  readonly granularity: 'hour' | 'day'
  /** Seconds since the epoch, `from` included, `to` not. */
  readonly from: number
  readonly to: number
}

/** What the aggregator wrote, read back: sums over the lives (`born`) of a bucket, oldest first. */
export interface UsageReader {
  usage(query: UsageQuery): Promise<readonly UsagePoint[]>
}

/** The counters of one bucket image: `used_<meter>`, `denied`. They only grow within one `born`. */
export type Counters = Readonly<Record<string, bigint>>

/** What one batch says of one bucket's life in one hour. */
export interface UsageHour {
  readonly entityId: string
  readonly resource: string
  /** ns since the epoch: the life of the bucket this belongs to. */
  readonly born: bigint
  /** Seconds since the epoch: the start of the hour. */
  readonly hourStart: number
  /** Counters before the first and after the last change in the batch. */
  readonly from: Counters
  readonly to: Counters
  /** `rev` of the last change. */
  readonly rev: bigint
}

/** Where the aggregator keeps its totals. */
export interface UsageStore extends UsageReader {
  /**
   * Raises `to` (and `rev`) where `rev` is newer, keeps the first `from`, lowers `from` where the given one is lower.
   * Doing it any number of times, in any order, leaves the same totals.
   */
  record(hour: UsageHour): Promise<void>
}
