import { test } from '@fast-check/vitest'
import fc from 'fast-check'
import { create, getTimeZoneTransition } from 'temporal-polyfill/fns/ZonedDateTime'
import { describe, expect } from 'vitest'
import { algorithmOf } from '../../../src/core/bucket/registry.ts'
import { calendarWindow } from '../../../src/core/model/calendar.ts'
import { CALENDAR_UNITS } from '../../../src/core/model/limit.ts'
import { runs } from '../../property-runs.ts'
import { applied } from './algorithm-history.ts'

const SECOND = 10n ** 9n

const nsAt = (text: string): bigint => BigInt(Date.parse(text)) * 1_000_000n

/** Changes of half an hour, of a day, at midnight, one minute after midnight, twice a year in Ramadan, and of seconds. */
const ODD_ZONES = [
  'Australia/Lord_Howe',
  'Pacific/Apia',
  'Pacific/Kiritimati',
  'Pacific/Kwajalein',
  'America/St_Johns',
  'America/Havana',
  'America/Sao_Paulo',
  'America/Caracas',
  'Africa/Casablanca',
  'Africa/Monrovia',
  'Asia/Pyongyang',
  'Asia/Kathmandu',
  'Asia/Gaza',
  'Atlantic/Azores',
  'Antarctica/Troll',
  'Europe/Dublin',
  'Europe/Amsterdam',
  '+05:45',
  'UTC',
]

const zones = fc.oneof(fc.constantFrom(...ODD_ZONES), fc.constantFrom(...Intl.supportedValuesOf('timeZone')))

const units = fc.constantFrom(...CALENDAR_UNITS)

const anyMoment = fc.bigInt({ min: nsAt('1880-01-01T00:00Z'), max: nsAt('2100-01-01T00:00Z') })

/** A moment, often within two days of a change of clocks, or at it. */
const moments = fc
  .tuple(
    zones,
    anyMoment,
    fc.integer({ min: -2 * 86_400, max: 2 * 86_400 }),
    fc.constantFrom(0, 1, 60, 1800, null),
  )
  .map(([zone, from, near, exactly]) => {
    const change = getTimeZoneTransition(create(from, zone), 'next')?.epochNanoseconds
    return { zone, at: change === undefined ? from : change + BigInt(exactly ?? near) * SECOND }
  })

describe('calendar windows', () => {
  test.prop([moments, units], { numRuns: runs(800) })(
    'contain their moment in every zone, and follow each other',
    ({ zone, at }, unit) => {
      const window = calendarWindow(unit, zone, at)
      expect(window.start <= at && at < window.end).toBe(true)
      expect(calendarWindow(unit, zone, window.start)).toEqual(window)
      expect(calendarWindow(unit, zone, window.end - 1n)).toEqual(window)
      expect(calendarWindow(unit, zone, window.end).start).toBe(window.end)
    },
  )

  test.prop([moments, units], { numRuns: runs(300) })(
    'deny until their end, and no longer',
    ({ zone, at }, window) => {
      const algorithm = algorithmOf({ algorithm: 'fixed_window', limit: 1, window, timeZone: zone })
      const charged = applied({}, algorithm.charge(undefined, 1, at, 1)) ?? expect.fail('not charged')
      const wait = algorithm.wait(charged, 1, at, 1)
      expect(wait > 0n).toBe(true)
      expect(algorithm.level(charged, at).endsInNs).toBe(wait)
      const passes = (later: bigint) => applied(charged, algorithm.charge(charged, 1, later, 1)) !== undefined
      expect([passes(at + wait - 1n), passes(at + wait)]).toEqual([false, true])
    },
  )

  test.each([
    ['hour', 'Australia/Lord_Howe', '2026-04-04T14:01Z', '2026-04-04T14:00Z', '2026-04-04T15:00Z'],
    ['hour', 'Australia/Lord_Howe', '2026-04-04T15:01Z', '2026-04-04T15:00Z', '2026-04-04T15:30Z'],
    ['hour', 'Australia/Lord_Howe', '2026-04-04T15:31Z', '2026-04-04T15:30Z', '2026-04-04T16:30Z'],
    ['hour', 'Europe/Berlin', '2026-10-25T00:30Z', '2026-10-25T00:00Z', '2026-10-25T01:00Z'],
    ['hour', 'Europe/Berlin', '2026-10-25T01:30Z', '2026-10-25T01:00Z', '2026-10-25T02:00Z'],
    ['day', 'Europe/Berlin', '2026-10-25T12:00Z', '2026-10-24T22:00Z', '2026-10-25T23:00Z'],
    ['day', 'Pacific/Apia', '2011-12-30T09:59Z', '2011-12-29T10:00Z', '2011-12-30T10:00Z'],
    ['day', 'Pacific/Apia', '2011-12-30T10:00Z', '2011-12-30T10:00Z', '2011-12-31T10:00Z'],
    ['day', 'America/St_Johns', '2010-11-07T02:45Z', '2010-11-07T02:30Z', '2010-11-08T03:30Z'],
    ['week', 'UTC', '2026-11-29T23:59Z', '2026-11-23T00:00Z', '2026-11-30T00:00Z'],
    ['week', 'UTC', '2026-11-30T00:00Z', '2026-11-30T00:00Z', '2026-12-07T00:00Z'],
    ['week', 'America/New_York', '2026-11-01T12:00Z', '2026-10-26T04:00Z', '2026-11-02T05:00Z'],
    ['month', 'Asia/Kathmandu', '2026-02-28T18:14Z', '2026-01-31T18:15Z', '2026-02-28T18:15Z'],
  ] as const)('are of the %s in %s at %s from %s to %s', (unit, zone, at, start, end) => {
    expect(calendarWindow(unit, zone, nsAt(at))).toEqual({ start: nsAt(start), end: nsAt(end) })
  })
})
