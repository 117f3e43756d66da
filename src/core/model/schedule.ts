import { timeAfter, timeUpTo } from './cron.ts'
import type { ScheduleEntry } from './limit.ts'
import { earlier, larger, SECOND_NS } from './time.ts'

/*
 * Which entry of a schedule holds at a moment: a function of the schedule and the moment alone, so all nodes agree without a
 * write. A transition is a moment at which the time of some entry begins or ends.
 */

/** What holds from `since` (inclusive) to `until` (exclusive), the transitions before and after a moment, ns since the epoch. */
export interface ScheduleState {
  /** The position of the entry that holds; undefined: the limit's own size. */
  readonly entry: number | undefined
  /** 0 if there has been no transition. */
  readonly since: bigint
  /** Undefined: there is no later transition. */
  readonly until: bigint | undefined
}

/** The state of a schedule at `at`. Of entries whose time it is, the first of the list holds. */
export const scheduleAt = (schedule: readonly ScheduleEntry[], at: bigint): ScheduleState => {
  let entry: number | undefined
  let since = 0n
  let until: bigint | undefined
  for (const [index, each] of schedule.entries()) {
    const state = entryAt(each, at)
    if (state.isActive) entry ??= index
    since = larger(since, state.since)
    until = earlier(until, state.until)
  }
  return { entry, since, until }
}

/** A time in which one entry, or none, holds. */
export interface SchedulePeriod {
  readonly entry: number | undefined
  /** Undefined: for ever, or for more transitions than are looked at. */
  readonly until: bigint | undefined
}

/** Bounds the work on schedules that hold for a long time in many pieces, such as one of a minute each minute. */
const MAX_PIECES = 1500

/** The same without the transitions at which the entry that holds stays the same. */
export const periodAt = (schedule: readonly ScheduleEntry[], at: bigint): SchedulePeriod => {
  const { entry, until: end } = scheduleAt(schedule, at)
  let until = end
  for (let pieces = 1; until !== undefined && pieces < MAX_PIECES; pieces++) {
    const next = scheduleAt(schedule, until)
    if (next.entry !== entry) return { entry, until }
    until = next.until
  }
  return { entry, until: undefined }
}

interface EntryState {
  readonly isActive: boolean
  readonly since: bigint
  readonly until: bigint | undefined
}

/** Far fewer are in use, as most limits share a few times. */
const MAX_STATES = 1000

/** The last state of each entry: it is computed once per transition, and not for each limit and entity that has the entry. */
const states = new Map<string, EntryState>()

const entryAt = (entry: ScheduleEntry, at: bigint): EntryState => {
  const key = `${entry.durationSeconds} ${entry.timeZone} ${entry.cron}`
  const known = states.get(key)
  if (known !== undefined && known.since <= at && (known.until === undefined || at < known.until))
    return known
  const state = computeEntry(entry, at)
  if (states.size >= MAX_STATES) states.clear()
  states.set(key, state)
  return state
}

/** The times of an entry overlap if it lasts longer than until its next begin. */
const computeEntry = ({ cron, timeZone, durationSeconds }: ScheduleEntry, at: bigint): EntryState => {
  const lengthNs = BigInt(durationSeconds) * SECOND_NS
  const begun = timeUpTo(cron, timeZone, at)
  const next = timeAfter(cron, timeZone, at)
  if (begun === undefined) return { isActive: false, since: 0n, until: next }
  if (begun + lengthNs <= at) return { isActive: false, since: begun + lengthNs, until: next }
  const ended = timeUpTo(cron, timeZone, at - lengthNs)
  const ending = timeAfter(cron, timeZone, at - lengthNs) ?? begun
  return {
    isActive: true,
    since: ended === undefined ? begun : larger(begun, ended + lengthNs),
    until: earlier(next, ending + lengthNs),
  }
}
