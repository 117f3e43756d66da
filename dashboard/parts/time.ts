import { numberText } from './amounts.ts'

const MOMENT = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' })

/** A time in the browser's time zone; `at` in seconds since the epoch. */
export const momentText = (at: number): string => MOMENT.format(at * 1000)

const STARTED_HOUR = new Intl.DateTimeFormat(undefined, {
  weekday: 'short',
  hour: '2-digit',
  minute: '2-digit',
})

const STARTED_DAY = new Intl.DateTimeFormat(undefined, {
  weekday: 'short',
  day: 'numeric',
  month: 'short',
  timeZone: 'UTC',
})

/** An hour in the browser's time zone, or a UTC day; `start` in seconds since the epoch. */
export const startText = (start: number, granularity: 'hour' | 'day'): string =>
  (granularity === 'hour' ? STARTED_HOUR : STARTED_DAY).format(start * 1000)

const MINUTE = 60
const HOUR = 3600
const DAY = 86_400
const YEAR = 365 * DAY

/** A duration, rounded up to two units: `2.4 s`, `3 min 20 s`, `1 h 5 min`, `2 d 3 h`, `5,707 years`. */
export const spanText = (seconds: number): string => {
  if (seconds < 10) return `${Math.ceil(seconds * 10) / 10} s`
  const whole = Math.ceil(seconds)
  if (whole < MINUTE) return `${whole} s`
  if (whole < HOUR) return twoUnits(whole, MINUTE, 'min', 1, 's')
  if (whole < DAY) return twoUnits(whole, HOUR, 'h', MINUTE, 'min')
  if (whole < YEAR) return twoUnits(whole, DAY, 'd', HOUR, 'h')
  return yearsText(Math.floor(whole / YEAR))
}

/** A large debt can take this long to refill. */
const yearsText = (years: number): string => (years === 1 ? 'over a year' : `${numberText(years)} years`)

const twoUnits = (
  seconds: number,
  large: number,
  largeName: string,
  small: number,
  smallName: string,
): string => {
  const first = Math.floor(seconds / large)
  const second = Math.floor((seconds % large) / small)
  return second === 0 ? `${first} ${largeName}` : `${first} ${largeName} ${second} ${smallName}`
}
