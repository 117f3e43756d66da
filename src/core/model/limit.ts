import type { Priority } from './entity.ts'
import { IN_FLIGHT, type LimitMeter } from './meter.ts'
import { DAY_SECONDS, HOUR_SECONDS, MINUTE_SECONDS } from './time.ts'

/** The names of the algorithms in JSON. */
export const ALGORITHMS = ['token_bucket', 'sliding_window', 'fixed_window', 'concurrency'] as const

/** Holds `capacity` tokens and refills continuously at `refillRate` tokens per second. Paused if both are 0. */
export interface TokenBucketSize {
  readonly algorithm: 'token_bucket'
  readonly capacity: number
  readonly refillRate: number
}

/** At most `limit` in any `windowSeconds`; the window advances by one of its `slots` at a time. */
export interface SlidingWindowSize {
  readonly algorithm: 'sliding_window'
  readonly limit: number
  readonly windowSeconds: number
  /** 2 to 60 */
  readonly slots: number
}

export const CALENDAR_UNITS = ['minute', 'hour', 'day', 'week', 'month'] as const

export type CalendarUnit = (typeof CALENDAR_UNITS)[number]

export const isCalendarUnit = (value: unknown): value is CalendarUnit =>
  CALENDAR_UNITS.some((unit) => unit === value)

/** At most `limit` in each minute, hour, day, week (from Monday on) or month of the calendar of `timeZone`. */
export interface CalendarWindowSize {
  readonly algorithm: 'fixed_window'
  readonly limit: number
  readonly window: CalendarUnit
  /** A name of the IANA database, `UTC`, or a fixed offset. */
  readonly timeZone: string
}

/** The window that is not one of the calendar. */
export const FIRST_USE = 'first_use'

/** At most `limit` in each window of `windowSeconds`, which begins with its first charge. */
export interface FirstUseWindowSize {
  readonly algorithm: 'fixed_window'
  readonly limit: number
  readonly window: typeof FIRST_USE
  readonly windowSeconds: number
}

export type FixedWindowSize = CalendarWindowSize | FirstUseWindowSize

/** At most `limit` requests in flight. A request whose end is never reported counts until its slot expires. */
export interface ConcurrencySize {
  readonly algorithm: 'concurrency'
  readonly limit: number
  /** How long a slot lasts that is neither released nor renewed. */
  readonly leaseSeconds: number
}

/** The size of each algorithm. */
export interface LimitSizes {
  readonly token_bucket: TokenBucketSize
  readonly sliding_window: SlidingWindowSize
  readonly fixed_window: FixedWindowSize
  readonly concurrency: ConcurrencySize
}

/** An amount and the algorithm that applies it. */
export type LimitSize = LimitSizes[keyof LimitSizes]

/**
 * `warn` and `shadow` limits never deny. A request that exceeds one is reported and not charged to it; `warn` also reports
 * it to the caller.
 */
export const LIMIT_MODES = ['enforce', 'warn', 'shadow'] as const

export type LimitMode = (typeof LIMIT_MODES)[number]

/** The share of the capacity, from 0 to below 1, that callers of a priority cannot use. */
export type Headroom = Readonly<Partial<Record<Exclude<Priority, 'high'>, number>>>

/** `strict` does not refund tokens that have already been refilled; `full` refunds all. */
export const REFUNDS = ['strict', 'full'] as const

export type Refund = (typeof REFUNDS)[number]

/** How to decide on a limit whose bucket is unavailable. */
export const ON_UNAVAILABLE = ['allow', 'deny', 'local'] as const

export type OnUnavailable = (typeof ON_UNAVAILABLE)[number]

/** Another size of a limit at some times: for `durationSeconds` from each time on that `cron` names in `timeZone`. */
export interface ScheduleEntry {
  /** Five fields: minute, hour, day of the month, month, day of the week. */
  readonly cron: string
  /** As in `CalendarWindowSize`. */
  readonly timeZone: string
  readonly durationSeconds: number
  /** Of the limit's algorithm and window. */
  readonly size: LimitSize
}

/** A limit as an administrator defines it. */
export interface Limit {
  readonly name: string
  readonly meter: LimitMeter
  readonly size: LimitSize
  /** Other sizes at some times; the first entry whose time it is holds. */
  readonly schedule?: readonly ScheduleEntry[]
  /** Default `strict`. */
  readonly refund?: Refund
  readonly onUnavailable?: OnUnavailable
  /** Default `enforce`. */
  readonly mode?: LimitMode
  /** The share in use, above 0 and at most 1, from which callers are warned. Default 0.8. */
  readonly warnAt?: number
  readonly headroom?: Headroom
  /** How long tokens may be charged in advance, s; 0: never. Default: the process's setting. */
  readonly leaseTtlSeconds?: number
}

/** Whether a limit denies. */
export const isEnforced = ({ mode }: Limit): boolean => mode === undefined || mode === 'enforce'

/** The `warnAt` of a limit without one, except of concurrency limits. */
export const DEFAULT_WARN_AT = 0.8

/** The amount in use from which a limit of this capacity is nearly used up. For a concurrency limit only with a `warnAt`. */
export const nearAmount = ({ meter, warnAt }: Limit, capacity: number): number =>
  meter === IN_FLIGHT && warnAt === undefined
    ? // to be full is what such a limit is for
      Number.POSITIVE_INFINITY
    : capacity * (warnAt ?? DEFAULT_WARN_AT)

export const MAX_SCHEDULE_ENTRIES = 8

export const MIN_SCHEDULE_SECONDS = MINUTE_SECONDS

export const MAX_SCHEDULE_SECONDS = 366 * DAY_SECONDS

export const DEFAULT_SLOTS = 30

export const MIN_SLOTS = 2

export const MAX_SLOTS = 60

/** The slots of a bucket are in its one item, about 20 bytes each. */
export const MAX_CONCURRENCY = 200

export const DEFAULT_SLOT_SECONDS = 60

/** As long as the longest reservation. */
export const MAX_SLOT_SECONDS = HOUR_SECONDS

/** Bounds the time of tokens in memory: a process that ends without refunding its leases leaves them charged. */
export const MAX_LEASE_SECONDS = 600

/** Leases last whole ms. */
export const MIN_LEASE_SECONDS = 0.001

/** A smaller share has no effect on any size, and DynamoDB stores no number below 1e-130. */
export const MIN_SHARE = 1e-6

/** The periods of `{limit, per}`, in seconds. */
export const PERIOD_SECONDS = {
  second: 1,
  minute: MINUTE_SECONDS,
  hour: HOUR_SECONDS,
  day: DAY_SECONDS,
} as const

export const PERIODS = ['second', 'minute', 'hour', 'day'] as const

export type Period = (typeof PERIODS)[number]

/** A longer window, or a bucket that takes longer to fill, is a mistake, and its times would exceed usable numbers. */
export const MAX_WINDOW_SECONDS = 100 * 366 * DAY_SECONDS

/** Tokens per second: one per nanosecond, the unit of time. */
export const MAX_RATE = 1_000_000_000

export const LIMIT_NAME_PATTERN = /^[a-z][a-z0-9_]{0,31}$/

export const LIMIT_NAME_RULE = 'be 1 to 32 of a-z 0-9 _ and begin with a letter'

/** Names that would collide with the counters beside the limits in a bucket. */
export const RESERVED_NAME_PATTERN = /^(used|denied)(_|$)/

export const RESERVED_NAME_RULE = 'not be used or denied, nor begin with used_ or denied_'

/** At most this many on one resource: the slots of sliding windows are the largest part of an item. */
export const MAX_SLIDING_WINDOWS = 3

/** At most this many concurrency limits on one resource, for the same reason. */
export const MAX_CONCURRENCY_LIMITS = 2

/** At most this many limits on one resource: a DynamoDB expression has at most 4 KB, a write unit 1 KB. */
export const MAX_LIMITS = 8

/** The default limits as settings define them; null: no such limit. */
export interface UsualSizes {
  readonly rpm: number | null
  readonly tpm: number | null
  /** The time in which both refill. */
  readonly windowSeconds: number
}

/** `rpm` on requests and `tpm` on tokens: the environment's limits for callers without limits in the table. */
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
