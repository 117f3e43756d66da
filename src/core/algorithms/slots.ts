import { type LimitFields, numberAt } from './algorithm.ts'

/** How a window is cut into slots, numbered since the epoch. */
export interface Grid {
  readonly slotNs: bigint
  /** Slots of one window. */
  readonly slots: number
  /** How many slots ahead of now another node's clock may be. */
  readonly ahead: number
}

/** A slot's number and what was ever counted when something was first counted in it. */
type Mark = readonly [key: string, value: bigint]

/** A window's state, as seen from a slot. */
export interface Counted {
  /** All that was ever counted. */
  readonly n: bigint
  readonly marks: readonly Mark[]
  /** The least mark in reach: what was counted before the window; undefined where none is in reach, and nothing is in use. */
  readonly base: { readonly key: string; readonly value: bigint } | undefined
}

/** What is in use of one slot. */
export interface SlotUse {
  readonly slot: number
  readonly amount: bigint
}

/** Slots are named in base 36, which keeps items small. */
export const slotKey = (slot: number): string => slot.toString(36)

const slotOf = (key: string): number => Number.parseInt(key, 36)

const marksOf = ({ marks }: LimitFields): readonly Mark[] =>
  typeof marks === 'object' ? Object.entries(marks) : []

export const knownSlots = (fields: LimitFields): readonly string[] => marksOf(fields).map(([key]) => key)

export const countedIn = (fields: LimitFields, grid: Grid, slotNow: number): Counted => {
  const marks = marksOf(fields)
  let base: Counted['base']
  for (const [key, value] of inReach(marks, grid, slotNow))
    if (base === undefined || value < base.value) base = { key, value }
  return { n: numberAt(fields, 'n', 0n), marks, base }
}

/** What is in use, by the slot with which it goes, the earliest first. */
export const partsOf = (fields: LimitFields, grid: Grid, slotNow: number): readonly SlotUse[] => {
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
