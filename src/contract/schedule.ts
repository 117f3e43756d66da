import * as v from 'valibot'
import { isTimeZone } from '../core/model/calendar.ts'
import { CRON_RULE, cronMust } from '../core/model/cron.ts'
import {
  type LimitSize,
  MAX_SCHEDULE_ENTRIES,
  MAX_SCHEDULE_SECONDS,
  MIN_SCHEDULE_SECONDS,
  type ScheduleEntry,
} from '../core/model/limit.ts'
import { boundedList, checkedBy, closedObject, type Fault } from './containers.ts'
import { integer } from './fields.ts'
import { size } from './limit-fields.ts'

/*
 * Other sizes of a limit at some times, in JSON. An entry states its times, and the amounts of its size as the limit itself
 * states them: `limit`, or `capacity` and `refill_rate`.
 */

/** The times at which an entry of a schedule holds. Of entries whose time it is, the first of the list holds. */
export interface ScheduleTimes {
  /** When it begins: minute, hour, day of the month, month, day of the week. `0 22 * * 1-5`: at 22:00 from Monday to Friday. */
  readonly cron: string
  /** The time zone of `cron`: a name of the IANA database, or a fixed offset such as `+02:00`. */
  readonly time_zone: string
  /** How long it holds from each begin on: a minute to 366 days. */
  readonly duration_seconds: number
}

/** Another `limit` at some times. */
export interface LimitScheduleEntry extends ScheduleTimes {
  /** 0: paused. */
  readonly limit: number
}

/** Another `capacity` at some times. */
export interface CapacityScheduleEntry extends ScheduleTimes {
  /** 0: paused. */
  readonly capacity: number
  /** Tokens refilled per second. By default the capacity refills in the same time as the limit's own. */
  readonly refill_rate?: number | undefined
}

const ZONE_RULE = 'be a time zone such as UTC, Europe/Berlin or +02:00'

/** A name of the IANA database, or a fixed offset. */
export const timeZone = v.pipe(
  v.string(ZONE_RULE),
  checkedBy((zone) => (isTimeZone(zone) ? undefined : { must: ZONE_RULE })),
)

const times = {
  cron: v.pipe(
    v.string(CRON_RULE),
    checkedBy((cron) => {
      const must = cronMust(cron)
      return must === undefined ? undefined : { must }
    }),
    v.description(
      'When it begins: minute, hour, day of the month, month, day of the week. A time that exists twice, as clocks are set back, counts both times; one that is skipped begins as much later as clocks are set forward',
    ),
  ),
  time_zone: v.pipe(timeZone, v.description('The time zone of cron, such as Europe/Berlin')),
  duration_seconds: v.pipe(
    integer(MIN_SCHEDULE_SECONDS, MAX_SCHEDULE_SECONDS),
    v.description('How long it holds from each begin on'),
  ),
} satisfies Record<keyof ScheduleTimes, v.GenericSchema>

/** The type is stated, as the inferred one is too long for a declaration. */
type ScheduleSchema<E extends v.ObjectEntries> = v.GenericSchema<
  v.InferInput<v.StrictObjectSchema<typeof times & E, undefined>>[],
  v.InferOutput<v.StrictObjectSchema<typeof times & E, undefined>>[]
>

/** The `schedule` of a limit whose amounts are `amounts`. `ref`: the name of an entry in the OpenAPI document. */
export const scheduleOf = <const E extends v.ObjectEntries>(amounts: E, ref: string): ScheduleSchema<E> => {
  const fields = [...Object.keys(times), ...Object.keys(amounts)].join(', ')
  const entry = v.pipe(
    closedObject({ ...times, ...amounts }, { unknown: `not be given; known fields are ${fields}` }),
    v.metadata({ ref }),
  )
  return v.pipe(
    boundedList(entry, {
      most: MAX_SCHEDULE_ENTRIES,
      must: `contain at most ${MAX_SCHEDULE_ENTRIES} entries`,
      list: 'be a list of entries',
    }),
    v.description('Other sizes at some times; the first entry whose time it is holds'),
  )
}

/** The entries of a schedule in JSON; undefined if there are none. */
export const entriesOf = <T extends ScheduleTimes>(
  schedule: readonly T[] | undefined,
  sizeOf: (entry: T) => LimitSize,
): readonly ScheduleEntry[] | undefined => {
  if (schedule === undefined || schedule.length === 0) return undefined
  return schedule.map((entry) => ({
    cron: entry.cron,
    timeZone: entry.time_zone,
    durationSeconds: entry.duration_seconds,
    size: sizeOf(entry),
  }))
}

/** The schedule of a limit whose size is a `limit`. */
export const limitSchedule = v.optional(
  scheduleOf(
    { limit: v.pipe(size, v.description('The limit at these times; 0: paused')) },
    'LimitScheduleEntry',
  ),
)

/** The entries of such a schedule: sizes that differ from `own` in their limit only. */
export const limitEntries = <S extends LimitSize & { readonly limit: number }>(
  schedule: readonly LimitScheduleEntry[] | undefined,
  own: S,
) => entriesOf(schedule, ({ limit }) => ({ ...own, limit }))

/** The first fault of a field of a schedule's entries. */
export const faultOfEntries = <T>(
  schedule: readonly T[] | undefined,
  field: string,
  mustOf: (entry: T) => string | undefined,
): Fault | undefined => {
  for (const [index, entry] of (schedule ?? []).entries()) {
    const must = mustOf(entry)
    if (must !== undefined) return { path: ['schedule', index, field], must }
  }
  return undefined
}

const amount = v.pipe(v.number(), v.integer(), v.minValue(0))

const shownAmounts = {
  capacity: v.pipe(amount, v.description('The size: the capacity, or the limit of a window')),
  refill_rate: v.exactOptional(v.pipe(v.number(), v.minValue(0), v.description('Only of token buckets'))),
}

/** The schedule of a limit in a response. */
export const scheduleResponse = v.array(
  v.object({
    cron: v.string(),
    time_zone: v.string(),
    duration_seconds: v.number(),
    limit: v.exactOptional(amount),
    capacity: v.exactOptional(amount),
    refill_rate: v.exactOptional(v.number()),
  }),
)

const position = v.pipe(
  v.nullable(v.pipe(v.number(), v.integer())),
  v.description('The position in schedule, from 0 on; null: the limit’s own size'),
)

const moment = v.pipe(
  v.nullable(v.number()),
  v.description('Seconds since the epoch; null: no such time is known'),
)

/** What holds now, and what follows. */
export const scheduleStateResponse = v.pipe(
  v.object({
    entry: position,
    ...shownAmounts,
    ends_at: moment,
    next: v.pipe(
      v.nullable(v.object({ entry: position, ...shownAmounts, begins_at: v.number(), ends_at: moment })),
      v.description('The size that follows; null: none does'),
    ),
  }),
  v.description('Only of a limit with a schedule: the size that holds now, and the one that follows'),
)
