import {
  addDays,
  addHours,
  addMinutes,
  addMonths,
  create,
  type Record as Moment,
  startOfDay,
  startOfHour,
  startOfMinute,
  startOfMonth,
} from 'temporal-polyfill/fns/ZonedDateTime'

export const CALENDAR_UNITS = ['minute', 'hour', 'day', 'month'] as const
export type CalendarUnit = (typeof CALENDAR_UNITS)[number]

/** From `start` up to, not including, `end`: ns since the epoch. */
export interface CalendarWindow {
  readonly start: bigint
  readonly end: bigint
}

interface UnitRules {
  readonly startOf: (moment: Moment) => Moment
  readonly next: (start: Moment) => Moment
}

const RULES: Readonly<Record<CalendarUnit, UnitRules>> = {
  minute: { startOf: (at) => startOfMinute(at), next: (start) => addMinutes(start, 1) },
  hour: { startOf: (at) => startOfHour(at), next: (start) => addHours(start, 1) },
  day: { startOf: (at) => startOfDay(at), next: (start) => startOfDay(addDays(start, 1)) },
  month: { startOf: (at) => startOfMonth(at), next: (start) => startOfMonth(addMonths(start, 1)) },
}

/** The calendar's minute, hour, day or month in `timeZone` that holds `at`. Days have 23 to 25 hours where clocks are put forward or back. */
export const calendarWindow = (unit: CalendarUnit, timeZone: string, at: bigint): CalendarWindow => {
  const { startOf, next } = RULES[unit]
  const start = startOf(create(at, timeZone))
  return { start: start.epochNanoseconds, end: next(start).epochNanoseconds }
}

/** Names of the IANA database and fixed offsets; nothing that a text with spaces between its words could not hold. */
const ZONE_PATTERN = /^[A-Za-z0-9._+:/-]{1,64}$/

export const isTimeZone = (value: string): boolean => {
  if (!ZONE_PATTERN.test(value)) return false
  try {
    create(0n, value)
    return true
  } catch {
    return false
  }
}

export const isCalendarUnit = (value: unknown): value is CalendarUnit =>
  CALENDAR_UNITS.some((unit) => unit === value)
