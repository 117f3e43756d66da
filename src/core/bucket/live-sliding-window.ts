import { type LimitFields, type LiveLimit, type LiveTime, MOST_EXACT } from './algorithm.ts'

/** A sliding window's size, in numbers. */
export interface LiveSlidingShape {
  readonly limit: number
  readonly slotNs: number
  /** Slots of one window. */
  readonly slots: number
  /** The number of slots by which another node's clock may be ahead. */
  readonly ahead: number
  /** The number of marks out of reach that one charge removes. */
  readonly maxRemovals: number
}

/** The value of `n` when something was first counted in a slot. */
interface Mark {
  readonly slot: number
  readonly value: number
}

/**
 * A sliding window that is charged in place: the count and the marks of `sliding-window.ts`. What depends on the slots in
 * reach is computed once per slot.
 */
class LiveSlidingWindow implements LiveLimit {
  isCharged = false
  readonly #shape: LiveSlidingShape
  readonly #stored: LimitFields
  #slot: number
  /** ns since the origin at which the current slot began */
  #slotStartNs: number
  /** The time since the current slot began. */
  #intoNs: number
  /** The total that was ever counted; undefined if nothing was. */
  #n: number | undefined
  /** In the order of the stored map. */
  #marks: readonly Mark[]
  /** The least mark in reach; undefined if none is in reach, and nothing is in use. */
  #base: number | undefined
  /** The latest slot in reach in which something was counted. */
  #last: number | undefined
  #isMarked = false
  #isStale = false
  #isTaken = false

  constructor(shape: LiveSlidingShape, stored: LimitFields, { now, ns }: LiveTime) {
    this.#shape = shape
    this.#stored = stored
    const slotNs = BigInt(shape.slotNs)
    this.#slot = Number(now / slotNs)
    this.#intoNs = Number(now % slotNs)
    this.#slotStartNs = ns - this.#intoNs
    this.#n = typeof stored.n === 'bigint' ? Number(stored.n) : undefined
    this.#marks = marksOf(stored)
  }

  moveTo({ ns }: LiveTime): boolean {
    const { slotNs } = this.#shape
    this.#intoNs = ns - this.#slotStartNs
    if (this.#intoNs >= 0 && this.#intoNs < slotNs) return true
    const moved = Math.floor(this.#intoNs / slotNs)
    this.#slot += moved
    this.#slotStartNs += moved * slotNs
    this.#intoNs -= moved * slotNs
    return this.enter()
  }

  /** Computes what depends on the current slot. False: a later slot has a mark, or the count is not exact in a number. */
  enter(): boolean {
    const { slots, ahead } = this.#shape
    const inReach = this.#marks.filter(({ slot }) => slot >= this.#slot - slots)
    const n = this.#n ?? 0
    const used = inReach.filter(({ value }) => value < n)
    this.#base = inReach.length === 0 ? undefined : Math.min(...inReach.map(({ value }) => value))
    this.#last = used.length === 0 ? undefined : Math.max(...used.map(({ slot }) => slot))
    this.#isMarked = inReach.some(({ slot }) => slot === this.#slot)
    this.#isStale = this.#marks.some(({ slot }) => slot < this.#slot - slots - ahead - 1)
    return n <= MOST_EXACT && !inReach.some(({ slot }) => slot > this.#slot)
  }

  fits(cost: number, bound: number): boolean {
    return this.#overage(cost, bound) <= 0
  }

  take(cost: number): void {
    this.isCharged = true
    if (cost === 0) return
    const n = this.#n ?? 0
    if (!this.#isMarked) this.#mark(n)
    this.#base ??= n
    this.#n = n + cost
    this.#last = this.#slot
    this.#isTaken = true
    if (this.#isStale) this.#removeStale()
  }

  available(): number {
    return Math.max(0, this.#shape.limit - this.#used())
  }

  resetNs(): number {
    return this.#last === undefined ? 0 : this.#goneInNs(this.#last)
  }

  endsInNs(): undefined {
    return undefined
  }

  waitNs(cost: number, bound: number): number {
    let overage = this.#overage(cost, bound)
    if (overage <= 0) return 0
    const { slots, slotNs } = this.#shape
    for (const { slot, amount } of this.#parts()) {
      overage -= amount
      if (overage <= 0) return this.#goneInNs(slot)
    }
    return slots * slotNs
  }

  fullInNs(): number {
    return this.#goneInNs(this.#slot + this.#shape.ahead)
  }

  fields(): LimitFields {
    if (!this.#isTaken) return this.#stored
    const marks = this.#marks.map(({ slot, value }) => [slot.toString(36), BigInt(value)])
    return { ...this.#stored, n: BigInt(this.#n ?? 0), marks: Object.fromEntries(marks) }
  }

  #used(): number {
    return this.#base === undefined ? 0 : (this.#n ?? 0) - this.#base
  }

  #overage(cost: number, bound: number): number {
    return this.#used() + cost - (cost === 0 ? this.#shape.limit : bound)
  }

  #goneInNs(slot: number): number {
    const { slots, slotNs } = this.#shape
    return (slot + slots + 1 - this.#slot) * slotNs - this.#intoNs
  }

  /** What is in use, by slot, the earliest first. */
  #parts(): readonly { readonly slot: number; readonly amount: number }[] {
    const latestFirst = this.#marks
      .filter(({ slot }) => slot >= this.#slot - this.#shape.slots)
      .toSorted((a, b) => b.slot - a.slot)
    let least = this.#n ?? 0
    const parts = latestFirst.map(({ slot, value }) => {
      const amount = Math.max(0, least - value)
      least = Math.min(least, value)
      return { slot, amount }
    })
    return parts.filter(({ amount }) => amount > 0).toReversed()
  }

  /** The first count of a window replaces all marks. */
  #mark(value: number): void {
    const mark = { slot: this.#slot, value }
    this.#marks = this.#n === undefined ? [mark] : [...this.#marks, mark]
    this.#isMarked = true
  }

  #removeStale(): void {
    const { slots, ahead, maxRemovals } = this.#shape
    let left = maxRemovals
    this.#marks = this.#marks.filter(({ slot }) => slot >= this.#slot - slots - ahead - 1 || left-- <= 0)
    this.#isStale = left <= 0
  }
}

const marksOf = ({ marks }: LimitFields): readonly Mark[] =>
  typeof marks === 'object'
    ? Object.entries(marks).map(([key, value]) => ({ slot: Number.parseInt(key, 36), value: Number(value) }))
    : []

/** The window at `time`, to be charged in place; undefined if numbers cannot represent it, or the clock was set back. */
export const liveSlidingWindow = (
  shape: LiveSlidingShape,
  stored: LimitFields,
  time: LiveTime,
): LiveLimit | undefined => {
  const longestNs = shape.slotNs * (2 * shape.slots + 3)
  if (shape.limit > MOST_EXACT / 2 || longestNs > MOST_EXACT) return undefined
  const state = new LiveSlidingWindow(shape, stored, time)
  return state.enter() ? state : undefined
}
