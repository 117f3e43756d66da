import type { Limit } from '../model/limit.ts'
import { IN_FLIGHT, type Meter } from '../model/meter.ts'
import type { Algorithm } from './algorithm.ts'

/** The source of limits that are not set in the table: the defaults of this process. */
export const ENVIRONMENT = 'environment'

/** A limit as this node enforces it on one bucket. */
export interface EffectiveLimit {
  readonly limit: Limit
  /** The arithmetic of the limit's size; of the stored size if the bucket contains a later version of the limit. */
  readonly algorithm: Algorithm
  /** The greatest version of all limit sets from which the limit was resolved. */
  readonly version: bigint
  /** States of an earlier version than this are void: the limit is full. Undefined: every state is valid. */
  readonly since?: bigint
  /** Where it is set: `entity`, `role:admin`, `system`, `environment`. */
  readonly source: string
  /** The share of the capacity that is reserved for callers of a higher priority; 0: none. */
  readonly headroom: number
  /** Only of a limit with a schedule, whose `limit` has the size of the moment. */
  readonly scheduled?: Scheduled
}

export interface Scheduled {
  /** The limit as it is defined, with its own size. */
  readonly own: Limit
  /** The next transition, ns since the epoch: until then this size holds. Undefined: for ever. */
  readonly until: bigint | undefined
}

/** Whether a request holds slots of one of the limits: then no lease pays for it, and no bucket in memory is charged in place. */
export const areHeld = (limits: readonly EffectiveLimit[]): boolean => {
  for (const { limit } of limits) if (limit.meter === IN_FLIGHT) return true
  return false
}

const meters = new WeakMap<readonly EffectiveLimit[], readonly Meter[]>()

/** The meters of costs that the limits count, each once; the same list for the same limits. */
export const metersOf = (limits: readonly EffectiveLimit[]): readonly Meter[] => {
  const known = meters.get(limits)
  if (known !== undefined) return known
  const found = [...new Set(limits.map(({ limit }) => limit.meter))].filter((meter) => meter !== IN_FLIGHT)
  meters.set(limits, found)
  return found
}

/** The maximum amount in use, the caller's request included. */
export const boundOf = ({ algorithm, headroom }: EffectiveLimit): number =>
  headroom === 0
    ? algorithm.capacity
    : // the double of (1 − 0.9) × 10 is less than 1
      Math.floor(Number((algorithm.capacity * (1 - headroom)).toPrecision(15)))

/** Whether the limit denies every request whose cost names its meter, even with an amount of 0. */
export const isPaused = ({ algorithm }: Pick<EffectiveLimit, 'algorithm'>): boolean =>
  algorithm.capacity === 0
