import * as v from 'valibot'
import { isTimeZone } from '../../core/model/calendar.ts'
import { CALENDAR_UNITS, type CalendarUnit, type FixedWindowSize } from '../../core/model/limit.ts'
import { checkedBy } from '../containers.ts'
import { capacityFault, limitFields, limitObject, limitOf, windowLimit } from '../limit-fields.ts'
import type { SizeFormat } from './size-format.ts'

const ZONE_RULE = 'be a time zone such as UTC, Europe/Berlin or +02:00'

const timeZone = v.pipe(
  v.string(ZONE_RULE),
  checkedBy((zone) => (isTimeZone(zone) ? undefined : { must: ZONE_RULE })),
  v.description('A name such as Europe/Berlin; default UTC'),
)

interface Json {
  readonly limit: number
  readonly window: CalendarUnit
  readonly time_zone?: string | undefined
}

const sizeOf = (json: Json): FixedWindowSize => ({
  algorithm: 'fixed_window',
  limit: json.limit,
  window: json.window,
  timeZone: json.time_zone ?? 'UTC',
})

/** At most `limit` in each minute, hour, day, week (from Monday on) or month of the calendar. */
export const fixedWindowForm = v.pipe(
  limitObject({
    ...limitFields,
    algorithm: v.literal('fixed_window'),
    limit: windowLimit,
    window: v.picklist(CALENDAR_UNITS, `be one of ${CALENDAR_UNITS.join(', ')}`),
    /** A name of the IANA database. Default `UTC`. */
    time_zone: v.optional(timeZone),
    /** As responses contain it: the same as `limit`. */
    capacity: v.optional(windowLimit),
  }),
  checkedBy((json) => capacityFault(json)),
  v.transform((json) => limitOf(json, sizeOf(json))),
)

export const fixedWindowFormat = {
  algorithm: 'fixed_window',
  forms: [fixedWindowForm],
  formOf: () => fixedWindowForm,
} as const satisfies SizeFormat

/** How responses show the size, beside `limit`. */
export const fixedWindowResponse = {
  window: v.exactOptional(v.picklist(CALENDAR_UNITS)),
  time_zone: v.exactOptional(v.string()),
}
