import type { Limit } from '../model/limit.ts'
import type { Algorithm } from './algorithm.ts'

/** The source of limits that no one has set in the table: defaults of this process. */
export const ENVIRONMENT = 'environment'

/** A limit as a node would enforce it on one bucket now. */
export interface EffectiveLimit {
  readonly limit: Limit
  /** The arithmetic of the limit's size. Where the bucket knows a later one, that one's. */
  readonly algorithm: Algorithm
  /** The greatest version among all that the limit was resolved from. */
  readonly version: bigint
  /** Where it came from: `entity`, `role:admin`, `system`, `environment`. */
  readonly source: string
  /** The share of the capacity that is kept from the caller, for callers of a higher priority; 0: none. */
  readonly headroom: number
}

/** The most that may be in use with a request of the caller. */
export const boundOf = ({ algorithm, headroom }: EffectiveLimit): number =>
  headroom === 0
    ? algorithm.capacity
    : // the double of (1 − 0.9) × 10 is less than 1
      Math.floor(Number((algorithm.capacity * (1 - headroom)).toPrecision(15)))

/** Whether a limit of this size denies every request whose cost names its meter, a cost of 0 too. */
export const isPaused = ({ algorithm }: Pick<EffectiveLimit, 'algorithm'>): boolean =>
  algorithm.capacity === 0
