import type { Decision, PolicyContext } from '../../core/deciding/decision.ts'
import type { LimitMode } from '../../core/limit/limit.ts'
import type { Cost, Meter } from '../../core/limit/meter.ts'

/** One limit as a decision left it. */
export interface LimitUse {
  readonly name: string
  readonly meter: Meter
  /** Whose limit it is: the id of the key, of a parent, or a policy's. */
  readonly entityId: string
  /** The bucket's resource; `_default_` where none was named. */
  readonly resource: string
  readonly capacity: number
  /** Whole tokens, never below 0. */
  readonly available: number
  /** capacity − available */
  readonly used: number
  /** ms until it is full again, rounded up */
  readonly resetAfterMs: number
  /** Whether it is the key's own, not a parent's or a policy's. */
  readonly own: boolean
  readonly mode: LimitMode
}

/** A limit that denied, or would have. */
export interface ViolatedLimit extends LimitUse {
  readonly requested: number
  /** ms until this limit would pass the request, rounded up; null: never, it is larger than the capacity */
  readonly retryAfterMs: number | null
}

/** What was decided about one request. */
export interface RateLimitDecision {
  readonly allowed: boolean
  /** ms until the same request would pass, rounded up: 0 where it is allowed, null where it never will. */
  readonly retryAfterMs: number | null
  /** True: the store is away and a limit says deny. Answer 503, not 429. */
  readonly unavailable: boolean
  /** True: a part of this answer was given without the store. */
  readonly degraded: boolean
  /** Why, in one line for your logs, with the name and message of AWS's error. Only where `degraded`; not for clients. */
  readonly unavailableCause?: string
  readonly limits: readonly LimitUse[]
  /** Empty where it is allowed. */
  readonly violations: readonly ViolatedLimit[]
  /** Limits of mode `warn` or `shadow` that the request exceeds. They refuse nothing. */
  readonly reported: readonly ViolatedLimit[]
  /** The same with times in ns, for those who make headers of it. */
  readonly decision: Decision
  /** When it was decided, ns since the epoch. */
  readonly decidedAtNs: bigint
}

/** A decision whose cost was an estimate. One of the two methods is to be called; the second call does nothing. */
export interface RateLimitReservation extends RateLimitDecision {
  /** Says what was really used, per meter; a meter left out stays as reserved. Never throws. */
  settle(actual: Cost): Promise<void>
  /** Gives back all of it. Never throws. */
  release(): Promise<void>
}

export interface CheckOptions {
  /** One request unless told. Whole numbers of at least 0. */
  readonly cost?: Cost
  /** What is used, such as a model. A resource without limits of its own shares one bucket with all others of the kind. */
  readonly resource?: string
  /** Who uses the key, where it is known: for policies on a user and a model. */
  readonly user?: string
  /** What policies go by instead of what the table says of the entity and the resource. */
  readonly context?: PolicyContext
}

/** Decides by the limits it was made with. One per process and set of limits. */
export interface RateLimiter {
  /**
   * Charges `cost` to `key`, any text that says who asks; denied, nothing is charged. Throws `ZaelError` for an empty key or
   * a cost that cannot be, with `config: 'table'` also for a key that is no entity
   * (`not_found`) or a disabled one (`unauthorized`), and `StoreUnavailable` where the
   * configuration cannot be read.
   */
  check(key: string, options?: CheckOptions): Promise<RateLimitDecision>
  /** As `check`, with a cost that is corrected when the real one is known. */
  reserve(key: string, options?: CheckOptions): Promise<RateLimitReservation>
  /** Writes what is counted and not yet written. Where nothing runs after an answer (Lambda), call it before. */
  flush(): Promise<void>
  /** Writes what is counted, and stops. The store stays open. */
  close(): Promise<void>
}
