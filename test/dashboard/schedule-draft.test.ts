import { describe, expect, test } from 'vitest'
import type { Limit } from '../../dashboard/api/responses.ts'
import { draftOf, limitOf } from '../../dashboard/limits/limit-draft.ts'
import {
  type EntryDraft,
  entryDraftsOf,
  heldNow,
  newEntry,
  scheduleIn,
  timesOf,
  timesText,
} from '../../dashboard/limits/schedule-draft.ts'
import { nextTimes } from '../../dashboard/limits/schedule-fields.tsx'

const times = (changes: Partial<EntryDraft>) => timesOf({ ...newEntry(0, 'Europe/Berlin'), ...changes })

const limit: Limit = {
  name: 'rpm',
  meter: 'requests',
  algorithm: 'token_bucket',
  capacity: 50,
  refill_rate: 50 / 60,
  source: 'entity:_default_',
}

const window: Limit = {
  ...{ name: 'rph', meter: 'requests', algorithm: 'sliding_window', capacity: 50, limit: 50 },
  ...{ window_seconds: 3600, slots: 30, source: 'entity:_default_' },
}

const entry = (cron: string, hours: number) => ({
  cron,
  time_zone: 'Europe/Berlin',
  duration_seconds: hours * 3600,
})

describe('an entry of a schedule', () => {
  test.each([
    [{}, '0 22 * * *', 8],
    [{ days: [1, 2, 3, 4, 5], begins: '09:30', ends: '17:30' }, '30 9 * * 1,2,3,4,5', 8],
    [{ days: [6, 0], begins: '00:00', ends: '00:00' }, '0 0 * * 0,6', 24],
    [{ kind: 'cron', cron: ' 0 0 1 * * ', hours: '1.5' }, '0 0 1 * *', 1.5],
  ] as const)('of %j begins by cron, and lasts', (changes, cron, hours) => {
    expect(times(changes)).toEqual({ cron, duration_seconds: hours * 3600 })
  })

  test.each([
    ['0 22 * * *', 8, 'every day 22:00–06:00 (Europe/Berlin)'],
    ['30 9 * * 1-5', 8, 'Mon–Fri 09:30–17:30 (Europe/Berlin)'],
    ['0 0 * * 0,6', 24, 'Sat, Sun 00:00–00:00 (Europe/Berlin)'],
    ['0 0 1 * *', 24, 'from 0 0 1 * * on for 1 d (Europe/Berlin)'],
    ['0 0 * * 6', 48, 'from 0 0 * * 6 on for 2 d (Europe/Berlin)'],
  ])('%s for %d h is shown in words, and kept when it is edited', (cron, hours, words) => {
    const one = { ...entry(cron, hours), capacity: 500, refill_rate: 2 }
    expect(timesText(one)).toBe(words)
    const [draft] = entryDraftsOf({ ...limit, schedule: [one] })
    if (draft === undefined) throw new Error('there is no draft')
    const { duration_seconds } = timesOf(draft)
    expect(duration_seconds).toBe(hours * 3600)
    expect(scheduleIn([draft], limit)).toMatchObject([
      { capacity: 500, refill_rate: 2, time_zone: 'Europe/Berlin' },
    ])
  })

  test('names its next three times in its own time zone', () => {
    const now = Date.parse('2026-11-30T12:00:00Z')
    // versions of the platform's data differ in commas
    expect(nextTimes(newEntry(0, 'Asia/Tokyo'), now).map((text) => text.replaceAll(',', ''))).toEqual([
      'Mon 30 Nov 22:00 to Tue 1 Dec 06:00',
      'Tue 1 Dec 22:00 to Wed 2 Dec 06:00',
      'Wed 2 Dec 22:00 to Thu 3 Dec 06:00',
    ])
    expect(nextTimes(newEntry(0, 'Mars/Base'), now)).toEqual([])
    expect(nextTimes({ ...newEntry(0, 'UTC'), kind: 'cron', cron: '0 0 30 2 *' }, now)).toEqual([])
  })
})

describe('the draft of a limit with a schedule', () => {
  test('keeps it, and sends nothing that only responses have', () => {
    const schedule = [{ ...entry('0 22 * * *', 8), capacity: 500, refill_rate: 2 }]
    const state = { entry: null, capacity: 50, ends_at: 1, next: null }
    const sent = limitOf(draftOf({ ...limit, schedule, schedule_state: state }, 0))
    expect(sent).toEqual({ ...limit, source: undefined, schedule })
  })

  test('states a changed amount without the rate, and that of a window as its limit', () => {
    const schedule = [{ ...entry('0 22 * * *', 8), capacity: 500, refill_rate: 2 }]
    const draft = draftOf({ ...limit, schedule }, 0)
    const changed = { ...draft, schedule: draft.schedule.map((each) => ({ ...each, amount: '100' })) }
    expect(limitOf(changed).schedule).toEqual([{ ...entry('0 22 * * *', 8), capacity: 100 }])
    const ofWindow = draftOf({ ...window, schedule: [{ ...entry('0 22 * * *', 8), limit: 7 }] }, 0)
    expect(limitOf(ofWindow).schedule).toEqual([{ ...entry('0 22 * * *', 8), limit: 7 }])
  })

  test('shows the size that holds now', () => {
    const state = { entry: 0, capacity: 500, refill_rate: 2, ends_at: 1, next: null }
    expect(heldNow({ ...limit, schedule_state: state })).toMatchObject({ capacity: 500, refill_rate: 2 })
    const { refill_rate: _, ...ofWindow } = state
    expect(heldNow({ ...window, schedule_state: ofWindow })).toMatchObject({ capacity: 500, limit: 500 })
    expect(heldNow(limit)).toBe(limit)
  })
})
