import { Cron } from 'croner'
import { type ZoneClock, zoneSegment } from './calendar.ts'
import { errorMessage } from './errors.ts'
import { larger, MS_NS, smaller } from './time.ts'

/*
 * The times that a cron expression names in a time zone. The library computes times of the clock, as if the zone were UTC;
 * this file maps them to moments, so that changes of the clocks have one rule in both directions of a search:
 *
 * - A time that exists twice, as clocks are set back, is named both times.
 * - A time that does not exist, as clocks are set forward, is named as much later as they were set: 02:30 becomes 03:30. So
 *   for the length of the change, both the old and the new clock name times.
 */

const LONGEST_CRON = 128

/** Without the library's own extensions `?`, `+` and `@daily`: what remains means the same in other programs. */
const FIELDS_PATTERN = /^[0-9A-Za-z*,/#-]+(?: +[0-9A-Za-z*,/#-]+){4}$/

export const CRON_RULE =
  'be a cron expression of five fields (minute, hour, day of the month, month, day of the week), such as 0 22 * * 1-5'

/** The rule that a cron expression breaks; undefined if it is valid. Two of its times are at least a minute apart. */
export const cronMust = (cron: string): string | undefined => {
  if (cron.length > LONGEST_CRON || !FIELDS_PATTERN.test(cron)) return CRON_RULE
  try {
    return clockAfter(cron, 0) === undefined ? 'name a time that exists; this one never comes' : undefined
  } catch (error) {
    return `${CRON_RULE}; ${reasonOf(error)}`
  }
}

/** `CronPattern: Invalid value for minute: 60` without the name of the library's class. */
const reasonOf = (error: unknown): string => errorMessage(error).replace(/^\w+: /, '')

const MINUTE_MS = 60_000

/** At most this many; far fewer are in use, as most limits share a few. */
const MAX_PARSED = 1000

const parsed = new Map<string, Cron>()

const parsedCron = (cron: string): Cron => {
  const known = parsed.get(cron)
  if (known !== undefined) return known
  const made = new Cron(cron, { mode: '5-part', utcOffset: 0, paused: true })
  if (parsed.size >= MAX_PARSED) parsed.clear()
  parsed.set(cron, made)
  return made
}

/** The first time after `clockMs`. Times of a clock are ms since the epoch as if its zone were UTC. */
const clockAfter = (cron: string, clockMs: number): number | undefined =>
  parsedCron(cron).nextRun(new Date(clockMs))?.getTime()

/** The last time in or before the minute of `clockMs`. */
const clockUpTo = (cron: string, clockMs: number): number | undefined => {
  const nextMinute = (Math.floor(clockMs / MINUTE_MS) + 1) * MINUTE_MS
  return parsedCron(cron).previousRuns(1, new Date(nextMinute))[0]?.getTime()
}

/** Two changes of the clocks per year; a cron that names 29 February on one weekday names a time in 28 years, or 40. */
const MAX_SEGMENTS = 100

/** The first moment after `at` that `cron` names in `timeZone`, ns since the epoch; undefined if there is none. */
export const timeAfter = (cron: string, timeZone: string, at: bigint): bigint | undefined => {
  let from = at + 1n
  for (let segments = 0; segments < MAX_SEGMENTS; segments++) {
    const { end, clocks } = zoneSegment(timeZone, from)
    const found = clocks.flatMap((clock) => firstOf(cron, clock, from) ?? [])
    if (found.length > 0) return found.reduce(smaller)
    if (end === undefined) return undefined
    from = end
  }
  return undefined
}

/** The first moment from `from` on that a clock shows before it ends. */
const firstOf = (cron: string, { offsetNs, until }: ZoneClock, from: bigint): bigint | undefined => {
  // rounded up to ms, less one, as the library looks for a later time
  const clockMs = clockAfter(cron, Number((from + offsetNs + MS_NS - 1n) / MS_NS) - 1)
  const moment = clockMs === undefined ? undefined : BigInt(clockMs) * MS_NS - offsetNs
  return moment === undefined || (until !== undefined && moment >= until) ? undefined : moment
}

/** The last moment up to `at`; undefined if there is none since 1970. */
export const timeUpTo = (cron: string, timeZone: string, at: bigint): bigint | undefined => {
  let upTo = at
  for (let segments = 0; segments < MAX_SEGMENTS && upTo >= 0n; segments++) {
    const { start = 0n, clocks } = zoneSegment(timeZone, upTo)
    const found = clocks.flatMap((clock) => lastOf(cron, clock, upTo) ?? [])
    const last = found.length > 0 ? found.reduce(larger) : undefined
    if (last !== undefined && last >= start) return last
    upTo = start - 1n
  }
  return undefined
}

/** The last moment up to `upTo` that a clock shows before it ends. */
const lastOf = (cron: string, { offsetNs, until }: ZoneClock, upTo: bigint): bigint | undefined => {
  const last = until === undefined || upTo < until ? upTo : until - 1n
  const clockMs = clockUpTo(cron, Number((last + offsetNs) / MS_NS))
  return clockMs === undefined ? undefined : BigInt(clockMs) * MS_NS - offsetNs
}
