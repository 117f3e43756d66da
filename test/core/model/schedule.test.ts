import { describe, expect, test } from 'vitest'
import { cronMust, timeAfter } from '../../../src/core/model/cron.ts'
import type { ScheduleEntry } from '../../../src/core/model/limit.ts'
import { periodAt, scheduleAt } from '../../../src/core/model/schedule.ts'

const ns = (text: string): bigint => BigInt(Date.parse(text)) * 1_000_000n

const iso = (at: bigint | undefined): string | undefined =>
  at === undefined ? undefined : new Date(Number(at / 1_000_000n)).toISOString().replace(':00.000Z', 'Z')

const HOUR = 3600

const entry = (cron: string, hours: number, timeZone = 'UTC', limit = 1): ScheduleEntry => ({
  cron,
  timeZone,
  durationSeconds: hours * HOUR,
  size: { algorithm: 'sliding_window', limit, windowSeconds: 60, slots: 30 },
})

const stateAt = (schedule: readonly ScheduleEntry[], at: string) => {
  const { entry, since, until } = scheduleAt(schedule, ns(at))
  return { entry, since: iso(since), until: iso(until) }
}

/** The periods that follow from a moment on, each with the moment at which it begins. */
const periods = (schedule: readonly ScheduleEntry[], from: string, count: number) => {
  const found: (readonly [string | undefined, number | undefined])[] = []
  for (let at: bigint | undefined = ns(from); at !== undefined && found.length < count; ) {
    const { entry, until } = periodAt(schedule, at)
    found.push([iso(at), entry])
    at = until
  }
  return found
}

describe('the times of a cron expression', () => {
  const firstAfter = (cron: string, zone: string, at: string): string | undefined =>
    iso(timeAfter(cron, zone, ns(at)))

  test('a time that is skipped in New York comes an hour later', () => {
    expect(firstAfter('30 2 * * *', 'America/New_York', '2027-03-13T12:00Z')).toBe('2027-03-14T07:30Z')
    expect(firstAfter('30 2 * * *', 'America/New_York', '2027-03-14T07:30Z')).toBe('2027-03-15T06:30Z')
  })

  test('a time that exists twice in New York comes twice', () => {
    expect(firstAfter('30 1 * * *', 'America/New_York', '2026-10-31T12:00Z')).toBe('2026-11-01T05:30Z')
    expect(firstAfter('30 1 * * *', 'America/New_York', '2026-11-01T05:30Z')).toBe('2026-11-01T06:30Z')
    expect(firstAfter('30 1 * * *', 'America/New_York', '2026-11-01T06:30Z')).toBe('2026-11-02T06:30Z')
  })

  test('the clocks of Lord Howe Island are set by half an hour', () => {
    expect(firstAfter('15 2 * * *', 'Australia/Lord_Howe', '2026-10-03T00:00Z')).toBe('2026-10-03T15:45Z')
    expect(firstAfter('45 1 * * *', 'Australia/Lord_Howe', '2027-04-03T00:00Z')).toBe('2027-04-03T14:45Z')
    expect(firstAfter('45 1 * * *', 'Australia/Lord_Howe', '2027-04-03T14:45Z')).toBe('2027-04-03T15:15Z')
  })

  test('a time may be years away, across many changes of the clocks', () => {
    expect(firstAfter('0 0 29 2 *', 'Europe/Berlin', '2026-11-30T00:00Z')).toBe('2028-02-28T23:00Z')
  })

  test.each([
    ['61 * * * *', /^be a cron expression of five fields .*; Invalid value for minute: 61$/],
    ['* * * *', /^be a cron expression of five fields/],
    ['0 0 22 * * *', /^be a cron expression of five fields/],
    ['@daily', /^be a cron expression of five fields/],
    ['? 22 * * *', /^be a cron expression of five fields/],
    [`0 22 * * ${'1,'.repeat(100)}1`, /^be a cron expression of five fields/],
    ['0 0 30 2 *', /^name a time that exists/],
    ['0 0 31 4,6,9,11 *', /^name a time that exists/],
  ])('%s is rejected', (cron, must) => {
    expect(cronMust(cron)).toMatch(must)
  })

  test.each(['0 22 * * 1-5', '0  9 * * MON-FRI', '*/15 0-6 1,15 JAN *', '0 0 L * *', '0 0 * * 5#1'])(
    '%s is valid',
    (cron) => {
      expect(cronMust(cron)).toBeUndefined()
    },
  )
})

describe('the entry that holds', () => {
  const nights = [entry('0 22 * * *', 8, 'Europe/Berlin')]

  test('begins and ends at its transitions', () => {
    expect(stateAt(nights, '2026-12-01T20:59:59.999Z')).toEqual({
      entry: undefined,
      since: '2026-12-01T05:00Z',
      until: '2026-12-01T21:00Z',
    })
    expect(stateAt(nights, '2026-12-01T21:00Z')).toEqual({
      entry: 0,
      since: '2026-12-01T21:00Z',
      until: '2026-12-02T05:00Z',
    })
    expect(stateAt(nights, '2026-12-02T05:00Z')).toEqual({
      entry: undefined,
      since: '2026-12-02T05:00Z',
      until: '2026-12-02T21:00Z',
    })
  })

  test('lasts its whole duration in the night in which clocks are set', () => {
    expect(periods(nights, '2027-03-27T21:00Z', 3)).toEqual([
      ['2027-03-27T21:00Z', 0],
      ['2027-03-28T05:00Z', undefined],
      ['2027-03-28T20:00Z', 0],
    ])
    expect(periods(nights, '2026-10-24T20:00Z', 3)).toEqual([
      ['2026-10-24T20:00Z', 0],
      ['2026-10-25T04:00Z', undefined],
      ['2026-10-25T21:00Z', 0],
    ])
  })

  test('is the first of the list whose time it is', () => {
    const both = [entry('0 0 * * 6', 48), entry('0 22 * * *', 8)]
    expect(periods(both, '2026-12-04T20:00Z', 6)).toEqual([
      ['2026-12-04T20:00Z', undefined],
      ['2026-12-04T22:00Z', 1],
      ['2026-12-05T00:00Z', 0],
      ['2026-12-07T00:00Z', 1],
      ['2026-12-07T06:00Z', undefined],
      ['2026-12-07T22:00Z', 1],
    ])
  })

  test('holds without a gap if its times touch or overlap', () => {
    const hourly = [entry('0 9-16 * * *', 1)]
    expect(stateAt(hourly, '2026-12-01T10:30Z')).toEqual({
      entry: 0,
      since: '2026-12-01T10:00Z',
      until: '2026-12-01T11:00Z',
    })
    expect(periods(hourly, '2026-12-01T09:00Z', 3)).toEqual([
      ['2026-12-01T09:00Z', 0],
      ['2026-12-01T17:00Z', undefined],
      ['2026-12-02T09:00Z', 0],
    ])
    const overlapping = [entry('0 9,12 * * *', 5)]
    expect(stateAt(overlapping, '2026-12-01T13:00Z')).toMatchObject({ until: '2026-12-01T14:00Z' })
    expect(periods(overlapping, '2026-12-01T09:00Z', 2)).toEqual([
      ['2026-12-01T09:00Z', 0],
      ['2026-12-01T17:00Z', undefined],
    ])
  })

  test('holds for ever if its times never leave a gap', () => {
    expect(periods([entry('* * * * *', 1)], '2026-12-01T09:00Z', 2)).toEqual([['2026-12-01T09:00Z', 0]])
  })

  test('does not depend on what was computed before', () => {
    const fresh = stateAt(nights, '2026-12-01T12:00Z')
    stateAt(nights, '2030-01-01T00:00Z')
    stateAt(nights, '2020-01-01T00:00Z')
    expect(stateAt(nights, '2026-12-01T12:00Z')).toEqual(fresh)
  })
})
