import { type CalendarWindow, calendarWindow, isTimeZone } from '../model/calendar.ts'
import { type CalendarUnit, FIRST_USE, type FixedWindowSize, isCalendarUnit } from '../model/limit.ts'
import { DAY_NS, HOUR_NS, larger, MINUTE_NS, roundedUp, SECOND_NS, smaller } from '../model/time.ts'
import {
  type Algorithm,
  type AlgorithmDefinition,
  type LimitFields,
  type LimitWrite,
  numberAt,
  type Refund,
  type Use,
} from './algorithm.ts'
import { calendarForm, firstUseForm } from './live-fixed-window.ts'
import { add, anyOf, atLeast, atMost, below, type Condition, equal, missing, set } from './write.ts'

const MILLION = 1_000_000n

/** Nominal lengths: actual months have 28 to 31 days, and days 23 to 25 hours. */
const NOMINAL_NS: Readonly<Record<CalendarUnit, bigint>> = {
  minute: MINUTE_NS,
  hour: HOUR_NS,
  day: DAY_NS,
  week: 7n * DAY_NS,
  month: 30n * DAY_NS,
}

/**
 * At most `limit` in each window: `w` is the start of the current window, `n` its count. A node whose clock is behind counts in
 * the newer window, so no window begins twice.
 */
const createFixedWindow = (size: FixedWindowSize): Algorithm =>
  size.window === FIRST_USE
    ? createFirstUseWindow(size.limit, size.windowSeconds)
    : createCalendarWindow(size.limit, size.window, size.timeZone)

/** The windows of a calendar, which begin whether or not anything is charged. */
const createCalendarWindow = (limit: number, unit: CalendarUnit, timeZone: string): Algorithm => {
  const windowAt = rememberingLast((at) => calendarWindow(unit, timeZone, at))
  const windows: Windows = {
    oldest: (now) => windowAt(now).start,
    begun: (now) => windowAt(now).start,
    endOf: (start) => windowAt(start).end,
    isAlwaysRunning: true,
    keeps: ({ since, until }, previous, now) => (isCalendar(previous) ? since : until) >= windowAt(now).start,
    carriedStart: (_previous, _fields, now) => windowAt(now).start,
  }
  return {
    name: NAME,
    text: `fixed_window ${limit} per ${unit} ${timeZone}`,
    capacity: limit,
    windowNs: NOMINAL_NS[unit],
    ...readings(limit, windows),
    ...charges(limit, windows),
    ...corrections(windows),
    live: calendarForm(limit, windowAt),
  }
}

const NAME = 'fixed_window'

/** Use in a window of a calendar may be as old as its start. */
const isCalendar = ({ name, beginsWithUse }: Algorithm): boolean => name === NAME && !beginsWithUse

/** Windows of a fixed length, each of which begins with its first charge after the end of the one before. */
const createFirstUseWindow = (limit: number, windowSeconds: number): Algorithm => {
  const lengthNs = BigInt(windowSeconds) * SECOND_NS
  const oldest = (now: bigint): bigint => now - lengthNs + 1n
  const windows: Windows = {
    oldest,
    begun: (now) => now,
    endOf: (start) => start + lengthNs,
    isAlwaysRunning: false,
    keeps: () => true,
    carriedStart(previous, fields, now) {
      const start = numberAt(fields, 'w', now)
      return previous.beginsWithUse && start >= oldest(now) ? start : now
    },
  }
  return {
    name: NAME,
    beginsWithUse: true,
    text: `fixed_window ${limit} per ${windowSeconds}s from first use`,
    capacity: limit,
    windowNs: lengthNs,
    ...readings(limit, windows),
    ...charges(limit, windows),
    ...corrections(windows),
    live: firstUseForm(limit, lengthNs),
  }
}

/** When windows begin and end, ns since the epoch. */
interface Windows {
  /** A stored window that began then or later is the current one. */
  oldest(now: bigint): bigint
  /** The start of a window that a charge begins. */
  begun(now: bigint): bigint
  /** The end of the window with this start. */
  endOf(start: bigint): bigint
  /** Whether there is a current window even if nothing is charged. */
  readonly isAlwaysRunning: boolean
  /** Whether a use of the previous algorithm is carried over. */
  keeps(use: Use, previous: Algorithm, now: bigint): boolean
  /** The start of the window in which the state of the previous algorithm counts. */
  carriedStart(previous: Algorithm, fields: LimitFields, now: bigint): bigint
}

/** The current window: the stored one, unless it is over. */
const currentOf = (fields: LimitFields, windows: Windows, now: bigint) => {
  const oldest = windows.oldest(now)
  const stored = numberAt(fields, 'w', oldest - 1n)
  return stored >= oldest
    ? { start: stored, n: numberAt(fields, 'n', 0n), isStored: true }
    : { start: windows.begun(now), n: 0n, isStored: false }
}

const readings = (
  limit: number,
  windows: Windows,
): Pick<Algorithm, 'level' | 'wait' | 'usedMillionths' | 'uses' | 'fullAt' | 'latestFullAt'> => {
  const current = (fields: LimitFields, now: bigint) => currentOf(fields, windows, now)
  const endOf = (fields: LimitFields, now: bigint): bigint => windows.endOf(current(fields, now).start)
  return {
    level(fields, now) {
      const { start, n, isStored } = current(fields, now)
      const endsInNs = windows.endOf(start) - now
      const level = { available: Math.max(0, limit - Number(n)), resetNs: n > 0n ? endsInNs : 0n }
      return isStored || windows.isAlwaysRunning ? { ...level, endsInNs } : level
    },

    wait(fields, cost, now, bound) {
      const isRoom = current(fields, now).n + BigInt(cost) <= BigInt(cost === 0 ? limit : bound)
      return isRoom ? 0n : endOf(fields, now) - now
    },

    usedMillionths: (fields, now) => current(fields, now).n * MILLION,

    uses(fields, now) {
      const { start, n } = current(fields, now)
      return n > 0n ? [{ since: start, until: larger(start, now), millionths: n * MILLION }] : []
    },

    fullAt: (fields, amount, now) => (amount > 0 || current(fields, now).n > 0n ? endOf(fields, now) : now),
    latestFullAt: (now) => windows.endOf(windows.begun(now)),
  }
}

const charges = (limit: number, windows: Windows): Pick<Algorithm, 'charge' | 'exceeded' | 'debit'> => {
  /** What remains of the bound beside `cost`; a cost of 0 is checked against debt. */
  const roomBeside = (cost: number, bound: number): number => (cost === 0 ? limit : bound - cost)
  const counting = (
    snapshot: LimitFields | undefined,
    fits: readonly Condition[],
    cost: number,
    now: bigint,
  ): LimitWrite => {
    const { isStored } = currentOf(snapshot ?? {}, windows, now)
    return isStored ? within(windows, fits, cost, now) : entering(windows, cost, now)
  }
  return {
    charge: (snapshot, cost, now, bound) =>
      counting(snapshot, [atMost('n', BigInt(roomBeside(cost, bound)))], cost, now),

    exceeded(_snapshot, cost, now, bound) {
      const room = roomBeside(cost, bound)
      if (room < 0) return { conditions: [], actions: [] }
      return within(windows, [atLeast('n', BigInt(room + 1))], 0, now)
    },

    debit: (snapshot, amount, now) => counting(snapshot, [], amount, now),
  }
}

const corrections = (
  windows: Windows,
): Pick<Algorithm, 'refundBasis' | 'refund' | 'topUp' | 'carryOver'> => ({
  refundBasis: (fields) => ({ w: numberAt(fields, 'w', 0n) }),

  refund: (snapshot, refund) => refundWrite(snapshot, refund, windows.oldest(refund.now)),

  topUp(fields, amount, now) {
    const { start, n } = currentOf(fields, windows, now)
    const back = smaller(BigInt(amount), n)
    if (back <= 0n) return undefined
    return { conditions: [equal('w', start), atLeast('n', back)], actions: [add('n', -back)] }
  },

  carryOver(previous, fields, now) {
    const kept = previous.uses(fields, now).filter((use) => windows.keeps(use, previous, now))
    const n = kept.reduce((sum, { millionths }) => sum + roundedUp(millionths, MILLION), 0n)
    if (n === 0n && !windows.isAlwaysRunning) return {}
    return { w: windows.carriedStart(previous, fields, now), n }
  },
})

/** The fixed window of a text such as `fixed_window 100 per day Europe/Berlin`; undefined for any other text. */
const parseFixedWindow = (text: string): Algorithm | undefined => {
  const [, most, seconds] =
    /^fixed_window (0|[1-9]\d{0,15}) per ([1-9]\d{0,9})s from first use$/.exec(text) ?? []
  if (seconds !== undefined) return createFirstUseWindow(Number(most), Number(seconds))
  const match = /^fixed_window (0|[1-9]\d{0,15}) per ([a-z]+) (\S+)$/.exec(text)
  const [, limit, window, timeZone = ''] = match ?? []
  if (!isCalendarUnit(window) || !isTimeZone(timeZone)) return undefined
  return createCalendarWindow(Number(limit), window, timeZone)
}

type WindowAt = (at: bigint) => CalendarWindow

/** The calendar is evaluated once per window, not once per decision. */
const rememberingLast = (compute: WindowAt): WindowAt => {
  let last: CalendarWindow | undefined
  return (at) => {
    if (last === undefined || at < last.start || at >= last.end) last = compute(at)
    return last
  }
}

/** Counts in the stored window, which is the current one or, by another node's clock, a later one. */
const within = (windows: Windows, fits: readonly Condition[], cost: number, now: bigint): LimitWrite => ({
  conditions: [atLeast('w', windows.oldest(now)), ...fits],
  actions: cost === 0 ? [] : [add('n', BigInt(cost))],
})

/** Begins a window with `cost`. */
const entering = (windows: Windows, cost: number, now: bigint): LimitWrite => ({
  conditions: [anyOf(missing('w'), below('w', windows.oldest(now)))],
  actions: cost === 0 ? [] : [set('w', windows.begun(now)), set('n', BigInt(cost))],
})

/** Refunds only in the window that was charged, and at most its count: a top-up may have refunded the charge already. */
const refundWrite = (
  snapshot: LimitFields,
  { basis, amount, unconditional }: Refund,
  oldest: bigint,
): LimitWrite | undefined => {
  const charged = numberAt(basis, 'w', 0n)
  if (unconditional || numberAt(snapshot, 'w', 0n) !== charged || charged < oldest) return undefined
  const back = smaller(BigInt(amount), numberAt(snapshot, 'n', 0n))
  if (back <= 0n) return undefined
  return { conditions: [equal('w', charged), atLeast('n', back)], actions: [add('n', -back)] }
}

export const fixedWindow: AlgorithmDefinition<FixedWindowSize> = {
  name: NAME,
  create: createFixedWindow,
  parse: parseFixedWindow,
  scaled: (size, part) => ({ ...size, limit: part(size.limit) }),
  period: (size) =>
    size.window === FIRST_USE
      ? `in the ${size.windowSeconds} seconds since the first use`
      : `in the current ${size.window}`,
}
