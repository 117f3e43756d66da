import type { CalendarWindow } from '../model/calendar.ts'
import {
  type Algorithm,
  type LimitFields,
  type LiveLimit,
  type LiveOrigin,
  type LiveTime,
  MOST_EXACT,
  numberAt,
} from './algorithm.ts'

/** A window of the calendar that is charged in place. */
class LiveCalendarWindow implements LiveLimit {
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

/** The state of a calendar window as numbers. */
export const calendarForm =
  (limit: number, windowAt: WindowAt): NonNullable<Algorithm['live']> =>
  (fields, time) => {
    const state = new LiveCalendarWindow(limit, windowAt, fields)
    return state.enter(time) ? state : undefined
  }

type WindowAt = (at: bigint) => CalendarWindow

/** A window from its first use on that is charged in place. */
class LiveFirstUseWindow implements LiveLimit {
  isCharged = false
  readonly #limit: number
  readonly #lengthNs: number
  readonly #stored: LimitFields
  readonly #origin: LiveOrigin
  /** ns since the origin, as `#nowNs`; undefined: no window has begun. */
  #startNs: number | undefined
  #count: number
  #nowNs: number

  constructor(shape: FirstUseShape, stored: LimitFields, { ns, origin }: LiveTime) {
    this.#limit = shape.limit
    this.#lengthNs = shape.lengthNs
    this.#stored = stored
    this.#origin = origin
    this.#startNs = typeof stored.w === 'bigint' ? Number(stored.w - origin.at) : undefined
    this.#count = Number(numberAt(stored, 'n', 0n))
    this.#nowNs = ns
  }

  moveTo({ ns }: LiveTime): boolean {
    this.#nowNs = ns
    return Number.isSafeInteger(this.#count)
  }

  fits(cost: number, bound: number): boolean {
    return this.#used() + cost <= (cost === 0 ? this.#limit : bound)
  }

  take(cost: number): void {
    this.isCharged = true
    if (cost === 0) return
    if (this.#leftNs() > 0) this.#count += cost
    else {
      this.#startNs = this.#nowNs
      this.#count = cost
    }
  }

  available(): number {
    return Math.max(0, this.#limit - this.#used())
  }

  resetNs(): number {
    return this.#used() > 0 ? this.#leftNs() : 0
  }

  endsInNs(): number | undefined {
    const leftNs = this.#leftNs()
    return leftNs > 0 ? leftNs : undefined
  }

  waitNs(cost: number, bound: number): number {
    return this.fits(cost, bound) ? 0 : this.#leftNs()
  }

  fullInNs(): number {
    return this.#lengthNs
  }

  fields(): LimitFields {
    if (this.#startNs === undefined) return this.#stored
    return { ...this.#stored, w: this.#origin.at + BigInt(this.#startNs), n: BigInt(this.#count) }
  }

  /** Until the current window ends; 0 if there is none. */
  #leftNs(): number {
    return this.#startNs === undefined ? 0 : Math.max(0, this.#startNs + this.#lengthNs - this.#nowNs)
  }

  #used(): number {
    return this.#leftNs() > 0 ? this.#count : 0
  }
}

interface FirstUseShape {
  readonly limit: number
  readonly lengthNs: number
}

/** The state of a window from its first use on as numbers: of one so short, and begun so near, that they are exact. */
export const firstUseForm = (limit: number, lengthNs: bigint): NonNullable<Algorithm['live']> => {
  const shape = { limit, lengthNs: Number(lengthNs) }
  return (fields, time) => {
    const sinceNs = typeof fields.w === 'bigint' ? Number(time.now - fields.w) : 0
    if (shape.lengthNs > MOST_EXACT || Math.abs(sinceNs) > MOST_EXACT) return undefined
    const state = new LiveFirstUseWindow(shape, fields, time)
    return state.moveTo(time) ? state : undefined
  }
}
