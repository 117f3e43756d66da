import { test } from '@fast-check/vitest'
import fc from 'fast-check'
import { expect } from 'vitest'
import { timeAfter, timeUpTo } from '../../../src/core/model/cron.ts'
import { runs } from '../../property-runs.ts'

const MINUTE_MS = 60_000
const MS_NS = 1_000_000n

/** A cron expression and the minutes of a clock that it names. */
interface NamedTimes {
  readonly cron: string
  /** `clock`: a date whose UTC fields are those of the clock. */
  names(clock: Date): boolean
}

const field = (
  least: number,
  most: number,
): fc.Arbitrary<{ text: string; names: (value: number) => boolean }> =>
  fc.oneof(
    fc.constant({ text: '*', names: () => true }),
    fc.integer({ min: 2, max: 20 }).map((step) => ({
      text: `*/${Math.min(step, most - least)}`,
      names: (value: number) => (value - least) % Math.min(step, most - least) === 0,
    })),
    fc.uniqueArray(fc.integer({ min: least, max: most }), { minLength: 1, maxLength: 3 }).map((values) => ({
      text: values.join(','),
      names: (value: number) => values.includes(value),
    })),
  )

const namedTimes: fc.Arbitrary<NamedTimes> = fc
  .record({ minute: field(0, 59), hour: field(0, 23), weekday: field(0, 6) })
  .map(({ minute, hour, weekday }) => ({
    cron: `${minute.text} ${hour.text} * * ${weekday.text}`,
    names: (clock) =>
      minute.names(clock.getUTCMinutes()) &&
      hour.names(clock.getUTCHours()) &&
      weekday.names(clock.getUTCDay()),
  }))

/** Changes of 30 minutes, an hour and two hours, at midnight, and an omitted day; each is within the span below. */
const spans = fc
  .constantFrom(
    ['Australia/Lord_Howe', '2026-10-03T15:30Z'],
    ['Australia/Lord_Howe', '2027-04-03T15:00Z'],
    ['America/New_York', '2027-03-14T07:00Z'],
    ['America/New_York', '2026-11-01T06:00Z'],
    ['Antarctica/Troll', '2027-03-28T01:00Z'],
    ['Antarctica/Troll', '2026-10-25T01:00Z'],
    ['America/Havana', '2027-03-14T05:00Z'],
    ['Pacific/Apia', '2011-12-30T10:00Z'],
    ['Europe/Berlin', '2026-07-01T00:00Z'],
    ['Asia/Kathmandu', '2026-07-01T00:00Z'],
  )
  .map(([zone = '', at = '']) => ({ zone, from: Date.parse(at) - 4 * 60 * MINUTE_MS }))

const SPAN_MINUTES = 10 * 60

const formats = new Map<string, Intl.DateTimeFormat>()

/** The clock of a zone by the platform's own data, as a date in UTC. */
const clockAt = (zone: string, ms: number): number => {
  const format =
    formats.get(zone) ??
    new Intl.DateTimeFormat('sv', { timeZone: zone, dateStyle: 'short', timeStyle: 'medium' })
  formats.set(zone, format)
  return Date.parse(`${format.format(ms).replace(' ', 'T')}Z`)
}

/** Every named minute of a span: by the zone's clock, and after a change forward by the old clock for as long as was skipped. */
const namedMinutes = ({ names }: NamedTimes, zone: string, from: number): readonly bigint[] => {
  const found: bigint[] = []
  let [offset, old, oldUntil] = [clockAt(zone, from) - from, 0, 0]
  for (let ms = from; ms < from + SPAN_MINUTES * MINUTE_MS; ms += MINUTE_MS) {
    const current = clockAt(zone, ms) - ms
    if (current > offset) [old, oldUntil] = [offset, ms + current - offset]
    offset = current
    const isNamed = names(new Date(ms + offset)) || (ms < oldUntil && names(new Date(ms + old)))
    if (isNamed) found.push(BigInt(ms) * MS_NS)
  }
  return found
}

test.prop([namedTimes, spans], { numRuns: runs(120) })(
  'finds the same times as a search of every minute, forwards and backwards',
  (times, { zone, from }) => {
    const expected = namedMinutes(times, zone, from)
    const end = BigInt(from + (SPAN_MINUTES - 1) * MINUTE_MS) * MS_NS
    const start = BigInt(from) * MS_NS
    const forwards: bigint[] = []
    for (let at = timeAfter(times.cron, zone, start - 1n); at !== undefined && at <= end; ) {
      forwards.push(at)
      at = timeAfter(times.cron, zone, at)
    }
    expect(forwards).toEqual(expected)
    const backwards: bigint[] = []
    for (let at = timeUpTo(times.cron, zone, end); at !== undefined && at >= start; ) {
      backwards.unshift(at)
      at = timeUpTo(times.cron, zone, at - 1n)
    }
    expect(backwards).toEqual(expected)
  },
)

test.prop([namedTimes, spans, fc.bigInt({ min: 0n, max: BigInt(SPAN_MINUTES) * 60n * 10n ** 9n })], {
  numRuns: runs(300),
})('the last time up to a moment and the first after it follow each other', (times, { zone, from }, plus) => {
  const at = BigInt(from) * MS_NS + plus
  const [last, next] = [timeUpTo(times.cron, zone, at), timeAfter(times.cron, zone, at)]
  if (last === undefined || next === undefined)
    throw new Error('there is a week of such times before and after')
  expect(last <= at && at < next).toBe(true)
  expect(timeAfter(times.cron, zone, last)).toBe(next)
  expect(timeUpTo(times.cron, zone, next - 1n)).toBe(last)
})
