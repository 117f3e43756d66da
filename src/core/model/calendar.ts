import {
  addDays,
  addMonths,
  addWeeks,
  create,
  getTimeZoneTransition,
  type Record as Moment,
  offsetNanoseconds,
  startOfDay,
  startOfMonth,
  startOfWeek,
} from 'temporal-polyfill/fns/ZonedDateTime'
import type { CalendarUnit } from './limit.ts'
import { HOUR_NS, MINUTE_NS } from './time.ts'

/** From `start` (inclusive) to `end` (exclusive), ns since the epoch. */
export interface CalendarWindow {
  readonly start: bigint
  readonly end: bigint
}

type WindowOf = (moment: Moment) => CalendarWindow

/** Windows of whole dates in the time zone; `next` returns the start of the date after `start`. */
const byDate =
  (startOf: (moment: Moment) => Moment, next: (start: Moment) => Moment): WindowOf =>
  (moment) => {
    let start = startOf(moment)
    let end = next(start)
    // if clocks are set back across midnight, the old date repeats: that time belongs to the new date, which has begun already
    while (end.epochNanoseconds <= moment.epochNanoseconds) {
      start = end
      end = next(start)
    }
    return { start: start.epochNanoseconds, end: end.epochNanoseconds }
  }

/** Windows of clock time within an hour. A change of the clocks ends the current window and begins another. */
const byClock =
  (lengthNs: bigint): WindowOf =>
  (moment) => {
    const at = moment.epochNanoseconds
    const offset = offsetNanoseconds(moment)
    const sinceStart = (at + BigInt(offset)) % lengthNs
    const start = at - (sinceStart < 0n ? sinceStart + lengthNs : sinceStart)
    const end = start + lengthNs
    const isSame = (other: bigint): boolean => offsetNanoseconds(create(other, moment.timeZoneId)) === offset
    return {
      start: isSame(start) ? start : changeOf(create(at + 1n, moment.timeZoneId), 'previous', start),
      end: isSame(end - 1n) ? end : changeOf(moment, 'next', end),
    }
  }

/** When the clocks of the time zone are changed, before or after `moment`. */
const changeOf = (moment: Moment, direction: 'previous' | 'next', fallback: bigint): bigint =>
  getTimeZoneTransition(moment, direction)?.epochNanoseconds ?? fallback

const WINDOWS: Readonly<Record<CalendarUnit, WindowOf>> = {
  minute: byClock(MINUTE_NS),
  hour: byClock(HOUR_NS),
  day: byDate(startOfDay, (start) => startOfDay(addDays(start, 1))),
  // begins on Monday, as weeks of ISO 8601 do
  week: byDate(startOfWeek, (start) => startOfWeek(addWeeks(start, 1))),
  month: byDate(startOfMonth, (start) => startOfMonth(addMonths(start, 1))),
}

/**
 * The window of the calendar in `timeZone` that contains `at`. The windows of a unit and a time zone have no gaps and do not
 * overlap; at a change of the clocks they are longer or shorter than their nominal length.
 */
export const calendarWindow = (unit: CalendarUnit, timeZone: string, at: bigint): CalendarWindow =>
  WINDOWS[unit](create(at, timeZone))

/** A clock of a time zone: the time that it shows is the time of UTC plus its offset. */
export interface ZoneClock {
  readonly offsetNs: bigint
  /** ns since the epoch; undefined: for ever */
  readonly until: bigint | undefined
}

/** The time between two changes of the clocks in a zone, ns since the epoch. */
export interface ZoneSegment {
  /** Inclusive; undefined if there is no earlier change. */
  readonly start: bigint | undefined
  /** Exclusive; undefined if there is no later change. */
  readonly end: bigint | undefined
  /** The zone's clock; after clocks have been set forward also the old one, until it shows the time of the new one at the change. */
  readonly clocks: readonly ZoneClock[]
}

/** The segment of `timeZone` that contains `at`. */
export const zoneSegment = (timeZone: string, at: bigint): ZoneSegment => {
  const moment = create(at, timeZone)
  const offsetNs = BigInt(offsetNanoseconds(moment))
  const start = getTimeZoneTransition(create(at + 1n, timeZone), 'previous')?.epochNanoseconds
  const end = getTimeZoneTransition(moment, 'next')?.epochNanoseconds
  const clocks = [{ offsetNs, until: end }]
  if (start === undefined) return { start, end, clocks }
  const before = BigInt(offsetNanoseconds(create(start - 1n, timeZone)))
  const skippedNs = offsetNs - before
  return {
    start,
    end,
    clocks: skippedNs > 0n ? [...clocks, { offsetNs: before, until: start + skippedNs }] : clocks,
  }
}

/** Names of the IANA database and fixed offsets. No spaces: they separate the parts of a size's text. */
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
