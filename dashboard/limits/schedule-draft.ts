import { MAX_SCHEDULE_ENTRIES } from '../../src/core/model/limit.ts'
import type { Limit } from '../api/responses.ts'
import { type LimitInput, windowText } from './limit-text.ts'
import { number, text, unitOf, unitText } from './size-draft.ts'

export type Schedule = NonNullable<Limit['schedule']>
export type ScheduleEntry = Schedule[number]

/** The state of the form of one entry. `hours`: on days of the week, from one time to another. */
export interface EntryDraft {
  /** Identifies the entry while it is edited. */
  readonly key: number
  readonly kind: 'hours' | 'cron'
  /** 0 (Sunday) to 6 */
  readonly days: readonly number[]
  /** `22:00` */
  readonly begins: string
  /** Of the next day if it is not after `begins`. */
  readonly ends: string
  readonly cron: string
  /** The duration of an entry by `cron`. */
  readonly hours: string
  readonly zone: string
  /** As the amount of the limit: in US dollars for a budget. */
  readonly amount: string
  readonly original: ScheduleEntry | undefined
}

export const DAY_NAMES = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'] as const

export const EVERY_DAY = [0, 1, 2, 3, 4, 5, 6] as const

/** The order in the form: weeks begin on Monday. */
export const DAYS_FROM_MONDAY = [1, 2, 3, 4, 5, 6, 0] as const

export const newEntry = (key: number, zone: string): EntryDraft => ({
  key,
  kind: 'hours',
  days: EVERY_DAY,
  begins: '22:00',
  ends: '06:00',
  cron: '0 22 * * *',
  hours: '8',
  zone,
  amount: '',
  original: undefined,
})

export const mayAddEntry = (entries: readonly EntryDraft[]): boolean => entries.length < MAX_SCHEDULE_ENTRIES

export const entryDraftsOf = ({ schedule = [], meter }: Limit): readonly EntryDraft[] =>
  schedule.map((entry, key) => ({
    ...newEntry(key, entry.time_zone),
    ...hoursOf(entry),
    cron: entry.cron,
    hours: text(entry.duration_seconds / 3600),
    amount: unitText(entry.limit ?? entry.capacity ?? 0, meter),
    original: entry,
  }))

const HOURS = /^(\d{1,2}) (\d{1,2}) \* \* (\*|[0-6](?:,[0-6])*|[0-6]-[0-6])$/

/** The days and hours of an entry, if it is of that kind. */
const hoursOf = ({ cron, duration_seconds: seconds }: ScheduleEntry): Partial<EntryDraft> => {
  const [, minute, hour, days] = HOURS.exec(cron) ?? []
  if (days === undefined || seconds > DAY || seconds % 60 !== 0) return { kind: 'cron' }
  const begins = Number(hour) * 60 + Number(minute)
  return {
    kind: 'hours',
    days: daysIn(days),
    begins: clockText(begins),
    ends: clockText(begins + seconds / 60),
  }
}

const DAY = 86_400

const daysIn = (field: string): readonly number[] => {
  if (field === '*') return EVERY_DAY
  const [first = 0, last] = field.split('-').map(Number)
  return last === undefined
    ? field.split(',').map(Number)
    : EVERY_DAY.filter((day) => day >= first && day <= last)
}

const clockText = (minutes: number): string => {
  const ofDay = minutes % (DAY / 60)
  return [Math.floor(ofDay / 60), ofDay % 60].map((part) => String(part).padStart(2, '0')).join(':')
}

/** Minutes since midnight; NaN for no time. */
const minutesOf = (clock: string): number => {
  const [hour = Number.NaN, minute = Number.NaN] = clock.split(':').map(Number)
  return hour * 60 + minute
}

/** The cron expression and the duration of an entry. Those that are not valid are left as they are, for the API to reject. */
export const timesOf = (draft: EntryDraft) => {
  if (draft.kind === 'cron') {
    return { cron: draft.cron.trim(), duration_seconds: Math.round((number(draft.hours) ?? 0) * 3600) }
  }
  const [begins, ends] = [minutesOf(draft.begins), minutesOf(draft.ends)]
  const minutes = (ends - begins + DAY / 60) % (DAY / 60)
  const days = draft.days.length === EVERY_DAY.length ? '*' : draft.days.toSorted().join(',')
  return {
    cron: `${begins % 60} ${Math.floor(begins / 60)} * * ${days}`,
    duration_seconds: (minutes === 0 ? DAY / 60 : minutes) * 60,
  }
}

/** The entries of a request; undefined if there are none. A bucket refills in the time of its own size unless it was set otherwise. */
export const scheduleIn = (
  drafts: readonly EntryDraft[],
  { algorithm, meter = 'requests' }: Pick<LimitInput, 'algorithm' | 'meter'>,
): LimitInput['schedule'] => {
  if (drafts.length === 0) return undefined
  return drafts.map((draft) => ({
    ...timesOf(draft),
    time_zone: draft.zone.trim(),
    ...sizeIn(draft, algorithm, meter),
  }))
}

const sizeIn = ({ original, amount }: EntryDraft, algorithm: string, meter: Limit['meter']) => {
  const before = original?.limit ?? original?.capacity
  const isSame = before !== undefined && amount === unitText(before, meter)
  const units = isSame ? before : Math.round((number(amount) ?? Number.NaN) * unitOf(meter))
  if (algorithm !== 'token_bucket') return { limit: units }
  const rate = isSame ? original?.refill_rate : undefined
  return { capacity: units, ...(rate !== undefined && { refill_rate: rate }) }
}

/** The times of an entry in words: `Mon–Fri 22:00–06:00 (Europe/Berlin)`, or its cron expression. */
export const timesText = (entry: ScheduleEntry): string => {
  const zone = `(${entry.time_zone})`
  const { kind, days, begins, ends } = { kind: 'cron', ...hoursOf(entry) }
  if (kind === 'cron' || days === undefined)
    return `from ${entry.cron} on for ${windowText(entry.duration_seconds)} ${zone}`
  return `${daysText(days)} ${begins}–${ends} ${zone}`
}

const daysText = (days: readonly number[]): string => {
  if (days.length === EVERY_DAY.length) return 'every day'
  const chosen = DAYS_FROM_MONDAY.filter((day) => days.includes(day))
  const first = chosen[0] === undefined ? 0 : DAYS_FROM_MONDAY.indexOf(chosen[0])
  const isRun = chosen.every((day, index) => DAYS_FROM_MONDAY[first + index] === day)
  const names = chosen.map((day) => DAY_NAMES[day] ?? '')
  return isRun && names.length > 2 ? `${names[0]}–${names.at(-1)}` : names.join(', ')
}

/** The amounts of an entry as those of its limit. A bucket without a rate refills in the same time as the limit's own. */
export const entrySize = (
  { capacity = 0, refill_rate: rate = 0 }: Pick<LimitInput, 'capacity' | 'refill_rate'>,
  entry: Pick<ScheduleEntry, 'limit' | 'capacity' | 'refill_rate'>,
): Partial<LimitInput> => {
  if (entry.limit !== undefined) return { limit: entry.limit, capacity: entry.limit }
  const amount = entry.capacity ?? 0
  return {
    capacity: amount,
    refill_rate: entry.refill_rate ?? (capacity > 0 ? (rate * amount) / capacity : 0),
  }
}

/** The limit with the size that its schedule gives it now. */
export const heldNow = (limit: Limit): Limit => {
  const { schedule_state: state } = limit
  if (state === undefined) return limit
  const { capacity, refill_rate } = state
  return {
    ...limit,
    ...(limit.limit === undefined
      ? { capacity, refill_rate: refill_rate ?? 0 }
      : { capacity, limit: capacity }),
  }
}
