import type { SlidingWindowSize } from '../model/limit.ts'
import { roundedUp, SECOND_NS, smaller } from '../model/time.ts'
import {
  type Algorithm,
  type AlgorithmDefinition,
  type LimitFields,
  type LimitWrite,
  numberAt,
  type Refund,
} from './algorithm.ts'
import { liveSlidingWindow } from './live-sliding-window.ts'
import {
  type Action,
  add,
  atLeast,
  atMost,
  type Condition,
  equal,
  missing,
  remove,
  set,
  setIfMissing,
} from './write.ts'

interface SlidingWindowShape {
  readonly limit: number
  readonly windowNs: bigint
  readonly slots: number
}

const MILLION = 1_000_000n

/** The clocks of two nodes may each differ from the store's by 5 s: beyond that, a node makes no decisions. */
const GREATEST_DIFFERENCE_NS = 10n * SECOND_NS

/** Old marks that one write removes, and marks that a refund lowers or names: an expression has at most 4 KB. */
const MAX_REMOVALS = 16

const MAX_LOWERED = 24

const MAX_NAMED = 32

/**
 * At most `limit` in any window, exact to a slot. `n` is the total that was ever counted; `marks` maps a slot (its number since
 * the epoch, base 36) to the value of `n` when something was first counted in it. The count of the last window is `n` minus the
 * mark of the oldest slot in reach. That slot counts in full although a part of it is outside of the window, so no true window
 * exceeds the limit.
 *
 * A mark is written once, and later ones are at least as large. So a node with an outdated state still has the right base, as
 * long as that mark has not changed, which the write's condition requires.
 */
const createSlidingWindow = (shape: SlidingWindowShape): Algorithm => {
  const { limit, windowNs, slots } = shape
  const slotNs = roundedUp(windowNs, BigInt(slots))
  // clocks that differ by more than a window have no window in common
  const ahead = Math.min(1 + Number(roundedUp(GREATEST_DIFFERENCE_NS, slotNs)), slots + 1)
  const grid: Grid = { slotNs, slots, ahead }
  return {
    name: 'sliding_window',
    text: `sliding_window ${limit} per ${windowNs / SECOND_NS}s in ${slots} slots`,
    capacity: limit,
    windowNs,
    ...readings(shape, grid),
    ...charges(limit, grid),
    ...corrections(grid),
    ...ends(grid),
    live: liveForm(limit, grid),
  }
}

const slotAt = ({ slotNs }: Grid, now: bigint): number => Number(now / slotNs)

/** The time from which a slot lies in no window. */
const goneAt = ({ slots, slotNs }: Grid, slot: number): bigint => BigInt(slot + slots + 1) * slotNs

const usedIn = ({ n, base }: Counted): bigint => n - (base?.value ?? n)

const readings = (
  { limit, windowNs }: SlidingWindowShape,
  grid: Grid,
): Pick<Algorithm, 'level' | 'wait' | 'usedMillionths' | 'uses'> => {
  const used = (fields: LimitFields, now: bigint): bigint =>
    usedIn(countedIn(fields, grid, slotAt(grid, now)))
  return {
    level(fields, now) {
      const last = partsOf(fields, grid, slotAt(grid, now)).at(-1)
      return {
        available: Math.max(0, limit - Number(used(fields, now))),
        resetNs: last ? goneAt(grid, last.slot) - now : 0n,
      }
    },

    wait(fields, cost, now, bound) {
      let overage = used(fields, now) + BigInt(cost - (cost === 0 ? limit : bound))
      if (overage <= 0n) return 0n
      for (const { slot, amount } of partsOf(fields, grid, slotAt(grid, now))) {
        overage -= amount
        if (overage <= 0n) return goneAt(grid, slot) - now
      }
      return windowNs
    },

    usedMillionths: (fields, now) => used(fields, now) * MILLION,

    uses: (fields, now) =>
      partsOf(fields, grid, slotAt(grid, now)).map(({ slot, amount }) => ({
        since: BigInt(slot) * grid.slotNs,
        until: BigInt(slot + 1) * grid.slotNs - 1n,
        millionths: amount * MILLION,
      })),
  }
}

const charges = (limit: number, grid: Grid): Pick<Algorithm, 'charge' | 'exceeded' | 'debit'> => {
  /** What remains of the bound beside `cost`; a cost of 0 is checked against debt. */
  const roomBeside = (cost: number, bound: number): number => (cost === 0 ? limit : bound - cost)
  return {
    charge(snapshot, cost, now, bound) {
      const slot = slotAt(grid, now)
      if (snapshot?.n === undefined) return firstWrite(slot, cost)
      const counted = countedIn(snapshot, grid, slot)
      const { base } = counted
      const fits = base ? [atMost('n', base.value + BigInt(roomBeside(cost, bound)))] : []
      return {
        conditions: [...fits, isBase(counted)],
        actions: cost === 0 ? [] : counting(snapshot, grid, slot, cost),
      }
    },

    exceeded(snapshot, cost, now, bound) {
      const room = roomBeside(cost, bound)
      if (room < 0) return { conditions: [], actions: [] }
      const counted = countedIn(snapshot ?? {}, grid, slotAt(grid, now))
      const overage = (counted.base?.value ?? counted.n) + BigInt(room) + 1n
      return { conditions: [atLeast('n', overage), isBase(counted)], actions: [] }
    },

    debit(snapshot, amount, now) {
      const slot = slotAt(grid, now)
      if (snapshot?.n === undefined) return firstWrite(slot, amount)
      return { conditions: [atLeast('n', 0n)], actions: counting(snapshot, grid, slot, amount) }
    },
  }
}

const corrections = (grid: Grid): Pick<Algorithm, 'refundBasis' | 'refund' | 'topUp' | 'carryOver'> => ({
  refundBasis: (fields, now) => ({
    slot: BigInt(slotAt(grid, now)),
    known: knownSlots(fields).join(' '),
    ...(typeof fields.topped === 'bigint' && { topped: fields.topped }),
  }),

  refund: (snapshot, refund) => refundWrite(snapshot, refund, grid, slotAt(grid, refund.now)),

  topUp(fields, amount, now) {
    const counted = countedIn(fields, grid, slotAt(grid, now))
    const back = smaller(BigInt(amount), usedIn(counted))
    if (back <= 0n) return undefined
    const n = counted.n - back
    const marks = counted.marks.map(([key, value]) => [key, smaller(value, n)])
    const actions = [set('n', n), set('marks', Object.fromEntries(marks)), add('topped', back)]
    return { conditions: [], actions, requiresSnapshot: true }
  },

  carryOver(previous, fields, now) {
    const marks: Record<string, bigint> = {}
    let n = 0n
    for (const { until, millionths } of previous.uses(fields, now)) {
      const slot = slotAt(grid, smaller(until, now))
      if (slot < slotAt(grid, now) - grid.slots) continue
      marks[slotKey(slot)] ??= n
      n += roundedUp(millionths, MILLION)
    }
    return { n, marks }
  },
})

const ends = (grid: Grid): Pick<Algorithm, 'fullAt' | 'latestFullAt'> => ({
  fullAt(fields, amount, now) {
    const slot = slotAt(grid, now)
    const last = partsOf(fields, grid, slot).at(-1)?.slot ?? slot
    if (amount > 0) return goneAt(grid, Math.max(last, slot))
    return knownSlots(fields).length > 0 ? goneAt(grid, last) : now
  },
  latestFullAt: (now) => goneAt(grid, slotAt(grid, now) + grid.ahead),
})

const liveForm =
  (limit: number, { slotNs, slots, ahead }: Grid): NonNullable<Algorithm['live']> =>
  (fields, time) =>
    liveSlidingWindow(
      { limit, slotNs: Number(slotNs), slots, ahead, maxRemovals: MAX_REMOVALS },
      fields,
      time,
    )

/** The sliding window of a text such as `sliding_window 10 per 3600s in 30 slots`; undefined for any other text. */
const parseSlidingWindow = (text: string): Algorithm | undefined => {
  const match = /^sliding_window (0|[1-9]\d{0,15}) per ([1-9]\d{0,9})s in ([1-9]\d?) slots$/.exec(text)
  if (match === null) return undefined
  const [limit, seconds, slots] = [Number(match[1]), BigInt(match[2] ?? 1), Number(match[3])]
  return createSlidingWindow({ limit, windowNs: seconds * SECOND_NS, slots })
}

const firstWrite = (slot: number, cost: number): LimitWrite => ({
  conditions: [missing('n')],
  actions: cost === 0 ? [] : [set('n', BigInt(cost)), set('marks', { [slotKey(slot)]: 0n })],
})

/** Requires that the base is that of the snapshot; without a base, that nothing was counted since. */
const isBase = ({ n, base }: Counted): Condition =>
  base ? equal(['marks', base.key], base.value) : equal('n', n)

/** Counts `cost` in `slot`: marks the slot if it has no mark yet, and removes marks that are in reach of no clock. */
const counting = (snapshot: LimitFields, grid: Grid, slot: number, cost: number): readonly Action[] => {
  const known = knownSlots(snapshot)
  const key = slotKey(slot)
  const outOfReach = known.filter((each) => Number.parseInt(each, 36) < slot - grid.slots - grid.ahead - 1)
  return [
    ...(known.includes(key) ? [] : [setIfMissing(['marks', key], { from: 'n' })]),
    add('n', BigInt(cost)),
    ...outOfReach.slice(0, MAX_REMOVALS).map((each) => remove(['marks', each])),
  ]
}

/**
 * Subtracts `amount` from the count, and from every mark that was made after the charge, because those include it. The other
 * marks existed at the charge (`known`); the conditions exclude that more have been made since the snapshot. Nothing is
 * refunded if the charge's slot has left the window, or after a top-up, which may have refunded this charge already.
 */
const refundWrite = (
  snapshot: LimitFields,
  { basis, amount, unconditional }: Refund,
  grid: Grid,
  slotNow: number,
): LimitWrite | undefined => {
  const slot = Number(basis.slot ?? 0n)
  if (unconditional || slot < slotNow - grid.slots || snapshot.topped !== basis.topped) return undefined
  const known = String(basis.known ?? '').split(' ')
  const made = knownSlots(snapshot).filter((key) => !known.includes(key))
  const notMade = Array.from({ length: slotNow - slot + 2 * grid.ahead + 1 }, (_, index) =>
    slotKey(slot - grid.ahead + index),
  ).filter((key) => !known.includes(key) && !made.includes(key))
  const actions = [add('n', BigInt(-amount)), ...made.map((key) => add(['marks', key], BigInt(-amount)))]
  const isTopped = typeof basis.topped === 'bigint' ? equal('topped', basis.topped) : missing('topped')
  const covers = [atLeast('n', BigInt(amount)), isTopped]
  if (made.length > MAX_LOWERED) return lessByReplacing(snapshot, covers, made, amount)
  if (made.length + notMade.length > MAX_NAMED) return { conditions: covers, actions, requiresSnapshot: true }
  return {
    conditions: [
      ...covers,
      ...made.map((key) => atLeast(['marks', key], BigInt(amount))),
      ...notMade.map((key) => missing(['marks', key])),
    ],
    actions,
  }
}

/** The same refund, which replaces the whole map. */
const lessByReplacing = (
  snapshot: LimitFields,
  conditions: readonly Condition[],
  made: readonly string[],
  amount: number,
): LimitWrite => {
  const marks = typeof snapshot.marks === 'object' ? Object.entries(snapshot.marks) : []
  const lowered = marks.map(([key, value]) => [key, made.includes(key) ? value - BigInt(amount) : value])
  const actions = [add('n', BigInt(-amount)), set('marks', Object.fromEntries(lowered))]
  return { conditions, actions, requiresSnapshot: true }
}

/** The division of time into slots, numbered since the epoch. */
export interface Grid {
  readonly slotNs: bigint
  /** Slots of one window. */
  readonly slots: number
  /** The number of slots by which another node's clock may be ahead. */
  readonly ahead: number
}

/** A slot's key, and the total that had been counted when something was first counted in it. */
type Mark = readonly [key: string, value: bigint]

/** A window's state at the time of a slot. */
export interface Counted {
  /** The total that was ever counted. */
  readonly n: bigint
  readonly marks: readonly Mark[]
  /** The least mark in reach, which is the total before the window; undefined if none is in reach: then nothing is in use. */
  readonly base: { readonly key: string; readonly value: bigint } | undefined
}

/** The amount in use that was counted in a slot. */
export interface SlotUse {
  readonly slot: number
  readonly amount: bigint
}

/** Slots are named in base 36, which keeps items small. */
const slotKey = (slot: number): string => slot.toString(36)

const slotOf = (key: string): number => Number.parseInt(key, 36)

const marksOf = ({ marks }: LimitFields): readonly Mark[] =>
  typeof marks === 'object' ? Object.entries(marks) : []

const knownSlots = (fields: LimitFields): readonly string[] => marksOf(fields).map(([key]) => key)

const countedIn = (fields: LimitFields, grid: Grid, slotNow: number): Counted => {
  const marks = marksOf(fields)
  let base: Counted['base']
  for (const [key, value] of inReach(marks, grid, slotNow))
    if (base === undefined || value < base.value) base = { key, value }
  return { n: numberAt(fields, 'n', 0n), marks, base }
}

/** The amount in use by the slot with which it leaves the window, earliest first. */
const partsOf = (fields: LimitFields, grid: Grid, slotNow: number): readonly SlotUse[] => {
  const latestFirst = inReach(marksOf(fields), grid, slotNow).toSorted((a, b) => slotOf(b[0]) - slotOf(a[0]))
  const parts: SlotUse[] = []
  let least = numberAt(fields, 'n', 0n)
  for (const [key, value] of latestFirst) {
    if (value >= least) continue
    parts.unshift({ slot: slotOf(key), amount: least - value })
    least = value
  }
  return parts
}

const inReach = (marks: readonly Mark[], { slots, ahead }: Grid, slotNow: number): readonly Mark[] =>
  marks.filter(([key]) => slotOf(key) >= slotNow - slots && slotOf(key) <= slotNow + ahead)

export const slidingWindow: AlgorithmDefinition<SlidingWindowSize> = {
  name: 'sliding_window',
  create: ({ limit, windowSeconds, slots }) =>
    createSlidingWindow({ limit, windowNs: BigInt(windowSeconds) * SECOND_NS, slots }),
  parse: parseSlidingWindow,
  scaled: (size, part) => ({ ...size, limit: part(size.limit) }),
  period: (_, windowSeconds) => `in the last ${windowSeconds} seconds`,
}
