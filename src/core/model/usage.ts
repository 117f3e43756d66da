import { invalid } from './errors.ts'
import type { Meter } from './meter.ts'
import { DAY_SECONDS, HOUR_SECONDS } from './time.ts'

/** The usage of one resource in one hour or one UTC day. */
export interface UsagePoint {
  /** Seconds since the epoch: the start of the hour or day. */
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
  /** Seconds since the epoch, `from` inclusive, `to` exclusive. */
  readonly from: number
  readonly to: number
}

/** Reads the usage that the aggregator recorded, summed over the generations (`born`) of each bucket, oldest first. */
export interface UsageReader {
  usage(query: UsageQuery): Promise<readonly UsagePoint[]>
}

/** The counters of one bucket image: `used_<meter>`, `denied`. They only grow within one generation (`born`). */
export type Counters = Readonly<Record<string, bigint>>

/** The usage that one batch contains for one generation of a bucket in one hour. */
export interface UsageHour {
  readonly entityId: string
  readonly resource: string
  /** ns since the epoch: identifies the generation of the bucket. */
  readonly born: bigint
  /** Seconds since the epoch: the start of the hour. */
  readonly hourStart: number
  /** Counters before the first and after the last change in the batch. */
  readonly from: Counters
  readonly to: Counters
  /** `rev` of the last change. */
  readonly rev: bigint
}

/** Stores the aggregator's totals. */
export interface UsageStore extends UsageReader {
  /**
   * Raises `to` and `rev` if `rev` is newer. Keeps the lowest `from`. Idempotent and independent of order: recording the
   * same hours any number of times, in any order, results in the same totals.
   */
  record(hour: UsageHour): Promise<void>
}

/** The period of a usage query: seconds since the epoch, `from` inclusive, `to` exclusive. */
export type UsagePeriod = Pick<UsageQuery, 'granularity' | 'from' | 'to'>

/** How long stores keep hours. */
const KEPT_DAYS = 400

const DEFAULT_DAYS = { hour: 1, day: 30 } as const

export const unitSeconds = (granularity: UsagePeriod['granularity']): number =>
  granularity === 'hour' ? HOUR_SECONDS : DAY_SECONDS

/**
 * A period of whole hours or days; by default the last day by hour, or the last 30 days by day. It includes the hour or day
 * that contains `from` and the current one, and is cut to the time that stores keep, and at the end of the current hour or
 * day. Throws `ZaelError('invalid_request')`.
 */
export const usagePeriod = (requested: Partial<UsagePeriod>, now: number): UsagePeriod => {
  const { granularity = 'hour' } = requested
  const unit = unitSeconds(granularity)
  const underWayUntil = (Math.floor(now / unit) + 1) * unit
  if (requested.from !== undefined && requested.to !== undefined && requested.from >= requested.to) {
    throw invalid('from', 'lie before to')
  }
  const to = Math.min(requested.to ?? underWayUntil, underWayUntil)
  const from = requested.from ?? to - DEFAULT_DAYS[granularity] * DAY_SECONDS
  const earliest = Math.max(0, to - KEPT_DAYS * DAY_SECONDS)
  return { granularity, from: Math.min(Math.max(Math.floor(from / unit) * unit, earliest), to), to }
}
