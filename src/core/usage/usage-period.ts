import { invalid } from '../errors.ts'
import { DAY_SECONDS, HOUR_SECONDS, type UsageQuery } from './usage.ts'

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
