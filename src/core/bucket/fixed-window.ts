import { type CalendarWindow, calendarWindow, isTimeZone } from '../model/calendar.ts'
import { type CalendarUnit, type FixedWindowSize, isCalendarUnit } from '../model/limit.ts'
import { DAY_NS, HOUR_NS, larger, MINUTE_NS, roundedUp, smaller } from '../model/time.ts'
import {
  type Algorithm,
  type AlgorithmDefinition,
  type LimitFields,
  type LimitWrite,
  type LiveLimit,
  type LiveTime,
  numberAt,
  type Refund,
  type Use,
} from './algorithm.ts'
import { add, anyOf, atLeast, atMost, below, type Condition, equal, missing, set } from './write.ts'

interface FixedWindowShape {
  readonly limit: number
  readonly window: CalendarUnit
  readonly timeZone: string
}

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
 * At most `limit` in each window of the calendar: `w` is the start of the current window, `n` its count. A node whose clock is
 * behind counts in the newer window, so no window begins twice.
 */
const createFixedWindow = (shape: FixedWindowShape): Algorithm => {
  const { limit, window, timeZone } = shape
  const windowAt = rememberingLast((at) => calendarWindow(window, timeZone, at))
  return {
    name: 'fixed_window',
    text: `fixed_window ${limit} per ${window} ${timeZone}`,
    capacity: limit,
    windowNs: NOMINAL_NS[window],
    ...readings(limit, windowAt),
    ...charges(limit, windowAt),
    ...corrections(windowAt),
    live: liveForm(limit, windowAt),
  }
}

type WindowAt = (at: bigint) => CalendarWindow

/** The current window: the stored one, unless it is an earlier one. */
const currentOf = (fields: LimitFields, { start }: CalendarWindow) => {
  const stored = numberAt(fields, 'w', start - 1n)
  return stored >= start
    ? { start: stored, n: numberAt(fields, 'n', 0n), isStored: true }
    : { start, n: 0n, isStored: false }
}

const readings = (
  limit: number,
  windowAt: WindowAt,
): Pick<Algorithm, 'level' | 'wait' | 'usedMillionths' | 'uses' | 'fullAt' | 'latestFullAt'> => {
  const current = (fields: LimitFields, now: bigint) => currentOf(fields, windowAt(now))
  const endOf = (fields: LimitFields, now: bigint): bigint => windowAt(current(fields, now).start).end
  return {
    level(fields, now) {
      const { n } = current(fields, now)
      const endsInNs = endOf(fields, now) - now
      return { available: Math.max(0, limit - Number(n)), resetNs: n > 0n ? endsInNs : 0n, endsInNs }
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
    latestFullAt: (now) => windowAt(now).end,
  }
}

const charges = (limit: number, windowAt: WindowAt): Pick<Algorithm, 'charge' | 'exceeded' | 'debit'> => {
  /** What remains of the bound beside `cost`; a cost of 0 is checked against debt. */
  const roomBeside = (cost: number, bound: number): number => (cost === 0 ? limit : bound - cost)
  const counting = (
    snapshot: LimitFields | undefined,
    fits: readonly Condition[],
    cost: number,
    now: bigint,
  ): LimitWrite => {
    const window = windowAt(now)
    const { isStored } = currentOf(snapshot ?? {}, window)
    return isStored ? within(window, fits, cost) : entering(window, cost)
  }
  return {
    charge: (snapshot, cost, now, bound) =>
      counting(snapshot, [atMost('n', BigInt(roomBeside(cost, bound)))], cost, now),

    exceeded(_snapshot, cost, now, bound) {
      const room = roomBeside(cost, bound)
      if (room < 0) return { conditions: [], actions: [] }
      return within(windowAt(now), [atLeast('n', BigInt(room + 1))], 0)
    },

    debit: (snapshot, amount, now) => counting(snapshot, [], amount, now),
  }
}

const corrections = (
  windowAt: WindowAt,
): Pick<Algorithm, 'refundBasis' | 'refund' | 'topUp' | 'carryOver'> => ({
  refundBasis: (fields) => ({ w: numberAt(fields, 'w', 0n) }),

  refund: (snapshot, refund) => refundWrite(snapshot, refund, windowAt(refund.now)),

  topUp(fields, amount, now) {
    const { start, n } = currentOf(fields, windowAt(now))
    const back = smaller(BigInt(amount), n)
    if (back <= 0n) return undefined
    return { conditions: [equal('w', start), atLeast('n', back)], actions: [add('n', -back)] }
  },

  carryOver(previous, fields, now) {
    const { start } = windowAt(now)
    const isKept = ({ since, until }: Use): boolean =>
      // use in a window of another calendar may be as old as its start
      (previous.name === 'fixed_window' ? since : until) >= start
    const kept = previous.uses(fields, now).filter(isKept)
    const n = kept.reduce((sum, { millionths }) => sum + roundedUp(millionths, MILLION), 0n)
    return { w: start, n }
  },
})

/** A fixed window that is charged in place. */
class LiveFixedWindow implements LiveLimit {
  isCharged = false
  readonly #limit: number
  readonly #windowAt: WindowAt
  readonly #stored: LimitFields
  /** The start of the window that was counted in last; undefined if none was. */
  #countedIn: bigint | undefined
  #count: number
  #window: CalendarWindow = { start: 0n, end: 0n }
  /** ns since the origin */
  #endNs = 0
  #leftNs = 0
  #lengthNs = 0

  constructor(limit: number, windowAt: WindowAt, stored: LimitFields) {
    this.#limit = limit
    this.#windowAt = windowAt
    this.#stored = stored
    this.#countedIn = typeof stored.w === 'bigint' ? stored.w : undefined
    this.#count = Number(numberAt(stored, 'n', 0n))
  }

  moveTo(time: LiveTime): boolean {
    this.#leftNs = this.#endNs - time.ns
    return (this.#leftNs > 0 && this.#leftNs <= this.#lengthNs) || this.enter(time)
  }

  /** False: the stored window is later, because the clock was set back. */
  enter({ now, ns }: LiveTime): boolean {
    this.#window = this.#windowAt(now)
    const { start, end } = this.#window
    this.#leftNs = Number(end - now)
    this.#endNs = ns + this.#leftNs
    this.#lengthNs = Number(end - start)
    return (this.#countedIn ?? start) <= start && Number.isSafeInteger(this.#count)
  }

  fits(cost: number, bound: number): boolean {
    return this.#used() + cost <= (cost === 0 ? this.#limit : bound)
  }

  take(cost: number): void {
    this.isCharged = true
    if (cost === 0) return
    this.#count = this.#used() + cost
    this.#countedIn = this.#window.start
  }

  available(): number {
    return Math.max(0, this.#limit - this.#used())
  }

  resetNs(): number {
    return this.#used() > 0 ? this.#leftNs : 0
  }

  endsInNs(): number {
    return this.#leftNs
  }

  waitNs(cost: number, bound: number): number {
    return this.fits(cost, bound) ? 0 : this.#leftNs
  }

  fullInNs(): number {
    return this.#leftNs
  }

  fields(): LimitFields {
    if (this.#countedIn === undefined) return this.#stored
    return { ...this.#stored, w: this.#countedIn, n: BigInt(this.#count) }
  }

  #used(): number {
    return this.#countedIn === this.#window.start ? this.#count : 0
  }
}

const liveForm =
  (limit: number, windowAt: WindowAt): NonNullable<Algorithm['live']> =>
  (fields, time) => {
    const state = new LiveFixedWindow(limit, windowAt, fields)
    return state.enter(time) ? state : undefined
  }

/** The fixed window of a text such as `fixed_window 100 per day Europe/Berlin`; undefined for any other text. */
const parseFixedWindow = (text: string): Algorithm | undefined => {
  const match = /^fixed_window (0|[1-9]\d{0,15}) per ([a-z]+) (\S+)$/.exec(text)
  const [, limit, window, timeZone = ''] = match ?? []
  if (!isCalendarUnit(window) || !isTimeZone(timeZone)) return undefined
  return createFixedWindow({ limit: Number(limit), window, timeZone })
}

/** The calendar is evaluated once per window, not once per decision. */
const rememberingLast = (compute: WindowAt): WindowAt => {
  let last: CalendarWindow | undefined
  return (at) => {
    if (last === undefined || at < last.start || at >= last.end) last = compute(at)
    return last
  }
}

/** Counts in the stored window, which is this one or a later one. */
const within = ({ start }: CalendarWindow, fits: readonly Condition[], cost: number): LimitWrite => ({
  conditions: [atLeast('w', start), ...fits],
  actions: cost === 0 ? [] : [add('n', BigInt(cost))],
})

/** Begins the window with `cost`. */
const entering = ({ start }: CalendarWindow, cost: number): LimitWrite => ({
  conditions: [anyOf(missing('w'), below('w', start))],
  actions: cost === 0 ? [] : [set('w', start), set('n', BigInt(cost))],
})

/** Refunds only in the window that was charged, and at most its count: a top-up may have refunded the charge already. */
const refundWrite = (
  snapshot: LimitFields,
  { basis, amount, unconditional }: Refund,
  { start }: CalendarWindow,
): LimitWrite | undefined => {
  const charged = numberAt(basis, 'w', 0n)
  if (unconditional || numberAt(snapshot, 'w', 0n) !== charged || charged < start) return undefined
  const back = smaller(BigInt(amount), numberAt(snapshot, 'n', 0n))
  if (back <= 0n) return undefined
  return { conditions: [equal('w', charged), atLeast('n', back)], actions: [add('n', -back)] }
}

export const fixedWindow: AlgorithmDefinition<FixedWindowSize> = {
  name: 'fixed_window',
  create: createFixedWindow,
  parse: parseFixedWindow,
  scaled: (size, part) => ({ ...size, limit: part(size.limit) }),
  period: ({ window }) => `in the current ${window}`,
}
