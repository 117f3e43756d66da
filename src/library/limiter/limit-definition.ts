import type { CalendarUnit } from '../../core/model/calendar.ts'
import type { Headroom, LimitMode, OnUnavailable } from '../../core/model/limit.ts'
import type { Meter } from '../../core/model/meter.ts'
import type { Period } from '../../core/model/parse-size.ts'

interface LimitRules {
  /** `rpm`, `tpm`, …: 1 to 32 of a-z 0-9 _ that begin with a letter. */
  readonly name: string
  /**
   * What it counts. By default `tpm`, `tph` and `tpd` count tokens, `itpm` input tokens, `otpm` output tokens, and any other
   * name requests.
   */
  readonly meter?: Meter
  /** `warn` and `shadow` report what is beyond the limit and refuse nothing. Default `enforce`. */
  readonly mode?: LimitMode
  /** The share in use from which on it is warned of. Default 0.8. */
  readonly warn_at?: number
  /** Default `strict`: what time has given back already is not given back again. */
  readonly refund?: 'strict' | 'full'
  /** What to answer while the store is away. */
  readonly on_unavailable?: OnUnavailable
  /** The share that is kept from keys of a priority: `{ normal: 0.1, low: 0.3 }`. */
  readonly headroom?: Headroom
}

/** `capacity` tokens, `refill_rate` more each second. A capacity of 0, rate 0, denies every request (paused). */
export interface TokenBucketDefinition extends LimitRules {
  readonly algorithm?: 'token_bucket'
  readonly capacity: number
  readonly refill_rate: number
}

/** Short for a token bucket: `limit` tokens, refilled within the period. A limit of 0 denies every request. */
export interface PerPeriodDefinition extends LimitRules {
  readonly algorithm?: 'token_bucket'
  readonly limit: number
  readonly per: Period
}

/** At most `limit` in any `window_seconds`. */
export interface SlidingWindowDefinition extends LimitRules {
  readonly algorithm: 'sliding_window'
  readonly limit: number
  readonly window_seconds: number
  /** In how many steps the window moves on: 2 to 60, 30 unless told. */
  readonly slots?: number
}

/** At most `limit` in each minute, hour, day, week (from Monday on) or month of the calendar. */
export interface FixedWindowDefinition extends LimitRules {
  readonly algorithm: 'fixed_window'
  readonly limit: number
  readonly window: CalendarUnit
  /** A name of the IANA database. Default `UTC`. */
  readonly time_zone?: string
}

/** A limit as code states it: the JSON of the HTTP API. */
export type LimitDefinition =
  | TokenBucketDefinition
  | PerPeriodDefinition
  | SlidingWindowDefinition
  | FixedWindowDefinition
