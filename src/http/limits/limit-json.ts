import { ofEntry } from '../../core/bucket/scheduled-limit.ts'
import { amountsToJson, epochSeconds, epochSecondsOrNull, limitToJson } from '../../core/model/json.ts'
import type { Limit } from '../../core/model/limit.ts'
import { periodAt } from '../../core/model/schedule.ts'
import type { ExplainedLimit } from '../../core/resolve/effective-limits.ts'

/** An effective limit, with its source, and with the size that its schedule gives it at `now` (ns since the epoch). */
export const effectiveLimitJson = (
  { limit, source }: Pick<ExplainedLimit, 'limit' | 'source'>,
  now: bigint,
) => ({
  ...limitToJson(limit),
  ...(limit.schedule !== undefined && { schedule_state: scheduleStateJson(limit, limit.schedule, now) }),
  source,
})

/** An effective limit, and every limit that it overrides, nearest first. */
export const explainedLimitJson = (effective: ExplainedLimit, now: bigint) => ({
  name: effective.limit.name,
  winner: effectiveLimitJson(effective, now),
  overrides: effective.overrides.map((each) => effectiveLimitJson(each, now)),
})

const scheduleStateJson = (limit: Limit, schedule: NonNullable<Limit['schedule']>, now: bigint) => {
  const { entry, until } = periodAt(schedule, now)
  return {
    ...entryJson(limit, entry),
    ends_at: epochSecondsOrNull(until),
    next: until === undefined ? null : nextJson(limit, schedule, until),
  }
}

const nextJson = (limit: Limit, schedule: NonNullable<Limit['schedule']>, at: bigint) => {
  const { entry, until } = periodAt(schedule, at)
  return { ...entryJson(limit, entry), begins_at: epochSeconds(at), ends_at: epochSecondsOrNull(until) }
}

const entryJson = (limit: Limit, entry: number | undefined) => ({
  entry: entry ?? null,
  ...amountsToJson(ofEntry(limit, entry).size),
})
