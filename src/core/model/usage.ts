import { invalid } from './errors.ts'
import type { Meter } from './meter.ts'
import { DAY_SECONDS, HOUR_SECONDS } from './time.ts'

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

/** What time a reading of usage is about: seconds since the epoch, `from` included, `to` not. */
export type UsagePeriod = Pick<UsageQuery, 'granularity' | 'from' | 'to'>

/** Stores keep hours for so long. */
const KEPT_DAYS = 400

const DEFAULT_DAYS = { hour: 1, day: 30 } as const

export const unitSeconds = (granularity: UsagePeriod['granularity']): number =>
  granularity === 'hour' ? HOUR_SECONDS : DAY_SECONDS

/**
 * Whole hours or days, the last day or the last 30 unless told: the one that `from` lies in shows, and the one that is
 * under way. What lies before all that is kept, or after `now`, holds nothing. Throws `ZaelError('invalid_request')`.
 */
export const usagePeriod = (asked: Partial<UsagePeriod>, now: number): UsagePeriod => {
  const { granularity = 'hour' } = asked
  const unit = unitSeconds(granularity)
  const underWayUntil = (Math.floor(now / unit) + 1) * unit
  if (asked.from !== undefined && asked.to !== undefined && asked.from >= asked.to) {
    throw invalid('from', 'lie before to')
  }
  const to = Math.min(asked.to ?? underWayUntil, underWayUntil)
  const from = asked.from ?? to - DEFAULT_DAYS[granularity] * DAY_SECONDS
  const earliest = Math.max(0, to - KEPT_DAYS * DAY_SECONDS)
  return { granularity, from: Math.min(Math.max(Math.floor(from / unit) * unit, earliest), to), to }
}
