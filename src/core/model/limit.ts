import type { CalendarUnit } from './calendar.ts'
import type { Priority } from './entity.ts'
import type { Meter } from './meter.ts'

/** Refilled all the time: `capacity` tokens, `refillRate` tokens per second. A capacity of 0, rate 0, is paused. */
export interface TokenBucketSize {
  readonly algorithm: 'token_bucket'
  readonly capacity: number
  readonly refillRate: number
}

/** At most `limit` in any `windowSeconds`; the window moves on in steps of one of its `slots`. */
export interface SlidingWindowSize {
  readonly algorithm: 'sliding_window'
  readonly limit: number
  readonly windowSeconds: number
  /** 2 to 60 */
  readonly slots: number
}

/** At most `limit` in each minute, hour, day, week (from Monday on) or month of the calendar of `timeZone`. */
export interface FixedWindowSize {
  readonly algorithm: 'fixed_window'
  readonly limit: number
  readonly window: CalendarUnit
  /** A name of the IANA database, `UTC`, or a fixed offset. */
  readonly timeZone: string
}

/** How much, by which algorithm. Each algorithm adds its member here and its file in `algorithms/`. */
export type LimitSize = TokenBucketSize | SlidingWindowSize | FixedWindowSize

/**
 * `warn` and `shadow` limits never deny: what is beyond them is reported, by `warn` to the caller as well, and is not
 * charged to them.
 */
export const LIMIT_MODES = ['enforce', 'warn', 'shadow'] as const

export type LimitMode = (typeof LIMIT_MODES)[number]

/** The share of the capacity, 0 up to (not including) 1, that is kept from callers of a priority. */
export type Headroom = Readonly<Partial<Record<Exclude<Priority, 'high'>, number>>>

/** What to answer for a limit whose bucket cannot be reached. */
export const ON_UNAVAILABLE = ['allow', 'deny', 'local'] as const

export type OnUnavailable = (typeof ON_UNAVAILABLE)[number]

/** A limit as an administrator states it. */
export interface Limit {
  readonly name: string
  readonly meter: Meter
  readonly size: LimitSize
  /** `strict` (the default) never gives back what time has given back; `full` gives back all. */
  readonly refund?: 'strict' | 'full'
  readonly onUnavailable?: OnUnavailable
  /** `enforce` unless told */
  readonly mode?: LimitMode
  /** The share in use, above 0 up to 1, from which callers are warned; 0.8 unless told. */
  readonly warnAt?: number
  readonly headroom?: Headroom
  /** How long tokens may be charged ahead, s; 0: never. As long as the settings say unless told. */
  readonly leaseTtlSeconds?: number
}

/** Whether a limit denies. */
export const isEnforced = ({ mode }: Limit): boolean => mode === undefined || mode === 'enforce'

export const DEFAULT_WARN_AT = 0.8

export const DEFAULT_SLOTS = 30

export const MAX_SLOTS = 60

/** A lease that outlives its process is no lease. */
export const MAX_LEASE_SECONDS = 600

/** Leases are counted in ms. */
export const MIN_LEASE_SECONDS = 0.001

/** A smaller share has no effect on any size, and DynamoDB stores no number below 1e-130. */
export const MIN_SHARE = 1e-6

/** Windows of slots are the largest part of an item: at most so many on one resource. */
export const MAX_SLIDING_WINDOWS = 3

/** At most this many limits on one resource: expressions end at 4 KB, a write unit at 1 KB. */
export const MAX_LIMITS = 8

/** Numbers as settings name them; null: no such limit. */
export interface UsualSizes {
  readonly rpm: number | null
  readonly tpm: number | null
  /** In which both are refilled. */
  readonly windowSeconds: number
}

/** `rpm` on requests and `tpm` on tokens: what the environment says of callers for whom the table has no limits. */
export const usualLimits = ({ rpm, tpm, windowSeconds }: UsualSizes): readonly Limit[] => {
  const size = (capacity: number): Limit['size'] => ({
    algorithm: 'token_bucket',
    capacity,
    refillRate: capacity / windowSeconds,
  })
  return [
    ...(rpm === null ? [] : [{ name: 'rpm', meter: 'requests', size: size(rpm) } as const]),
    ...(tpm === null ? [] : [{ name: 'tpm', meter: 'tokens', size: size(tpm) } as const]),
  ]
}
