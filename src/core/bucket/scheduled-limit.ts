import type { Limit } from '../model/limit.ts'
import { scheduleAt } from '../model/schedule.ts'
import { earlier, larger, smaller } from '../model/time.ts'
import type { LimitFields } from './algorithm.ts'
import { boundOf, type EffectiveLimit, isPaused } from './effective-limit.ts'
import { algorithmOf } from './registry.ts'

/*
 * A limit with a schedule is, at any moment, a limit of one size. Its version is at least the time of its last transition, so a
 * transition is a change of the limit like any other: every node finds the same size and version without a write, and the
 * first charge afterwards carries the bucket's state over.
 */

/** A limit as it was resolved, with its own size, as it is enforced at `at` (ns since the epoch). */
export const effectiveAt = (resolved: EffectiveLimit, at: bigint): EffectiveLimit => {
  const { limit, version } = resolved
  if (limit.schedule === undefined) return resolved
  const { entry, since, until } = scheduleAt(limit.schedule, at)
  const sized = ofEntry(limit, entry)
  return {
    ...resolved,
    limit: sized,
    version: larger(version, since),
    algorithm: algorithmOf(sized.size),
    scheduled: { own: limit, until },
  }
}

/** The same object for the same entry, as resolutions of many entities share limits. */
const sizes = new WeakMap<Limit, Map<number, Limit>>()

/** The limit with the size of an entry of its schedule; the limit itself without an entry. */
export const ofEntry = (limit: Limit, entry: number | undefined): Limit => {
  const size = entry === undefined ? undefined : limit.schedule?.[entry]?.size
  if (entry === undefined || size === undefined) return limit
  const ofLimit = sizes.get(limit) ?? new Map<number, Limit>()
  const sized = ofLimit.get(entry) ?? { ...limit, size }
  sizes.set(limit, ofLimit.set(entry, sized))
  return sized
}

/** The time at which the first of the limits has another size, ns since the epoch; undefined if none ever has. */
export const firstTransition = (limits: readonly EffectiveLimit[]): bigint | undefined => {
  let first: bigint | undefined
  for (const { scheduled } of limits) first = earlier(first, scheduled?.until)
  return first
}

/** Whether one of the limits has another size by `at`. */
export const isTransitionDue = (limits: readonly EffectiveLimit[], at: bigint): boolean => {
  const first = firstTransition(limits)
  return first !== undefined && at >= first
}

/** The limits with the sizes of a later moment; the same list if none has another size by then. */
export const limitsAt = (limits: readonly EffectiveLimit[], at: bigint): readonly EffectiveLimit[] =>
  isTransitionDue(limits, at) ? limits.map((effective) => effectiveAt(ownOf(effective), at)) : limits

/** With its own size. */
const ownOf = (effective: EffectiveLimit): EffectiveLimit =>
  effective.scheduled === undefined ? effective : { ...effective, limit: effective.scheduled.own }

/** The earlier of a moment and the next transition of a limit. */
export const untilTransitionOf = ({ scheduled }: EffectiveLimit, at: bigint): bigint =>
  scheduled?.until === undefined ? at : smaller(scheduled.until, at)

/** Bounds the work on a cost that only a rare entry admits. */
const MAX_TRANSITIONS = 8

/** A limit and its state from `at` on (ns since the epoch). */
interface SizeFrom {
  readonly effective: EffectiveLimit
  readonly fields: LimitFields
  readonly at: bigint
}

/**
 * ns until `amount` passes, transitions included: a paused limit admits it after the pause, a small one perhaps in its next,
 * larger size. Null: never, or after more transitions than are looked at.
 */
export const waitOverTransitions = (
  from: SizeFrom,
  amount: number,
  transitions = MAX_TRANSITIONS,
): bigint | null => {
  const waitNs = waitOf(from, amount)
  const until = from.effective.scheduled?.until
  if (until === undefined || transitions === 0) return waitNs
  if (waitNs !== null && from.at + waitNs <= until) return waitNs
  const laterNs = waitOverTransitions(afterTransition(from, until), amount, transitions - 1)
  return laterNs === null ? null : until - from.at + laterNs
}

/** ns until `amount` passes this size; null: never. */
const waitOf = ({ effective, fields, at }: SizeFrom, amount: number): bigint | null =>
  isPaused(effective) || amount > boundOf(effective)
    ? null
    : effective.algorithm.wait(fields, amount, at, boundOf(effective))

const afterTransition = ({ effective, fields }: SizeFrom, at: bigint): SizeFrom => {
  const next = effectiveAt(ownOf(effective), at)
  const isSame = next.algorithm.text === effective.algorithm.text
  return {
    effective: next,
    fields: isSame ? fields : next.algorithm.carryOver(effective.algorithm, fields, at),
    at,
  }
}
