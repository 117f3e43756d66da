import type { Decision, LimitState, Violation } from '../../core/decide/decision.ts'
import type { LimitMode } from '../../core/model/limit.ts'
import type { Cost, Meter } from '../../core/model/meter.ts'
import type { PolicyContext } from '../../core/model/policy.ts'

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

/** What was decided about one request. Plain data: `JSON.stringify` takes it as it is. */
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
}

/** A decision whose cost was an estimate. One of the two methods is to be called; the second call does nothing. */
export interface RateLimitReservation extends RateLimitDecision {
  /**
   * Charges the actual use instead of the estimate, per meter; a meter that is left out stays as reserved. Rejects with a
   * `TypeError` for a cost that is invalid, and can then be called again; a store that is unavailable never makes it fail.
   */
  settle(actual: Cost): Promise<void>
  /** Gives back all of it. Never throws. */
  release(): Promise<void>
}

export interface CheckOptions {
  /** Default: one request. Whole numbers of at least 0; `{}` charges nothing and only reads. */
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
   * Charges `cost` to `key`, any text or number that names the caller (42 and '42' are one key); denied, nothing is charged.
   * Rejects with a `TypeError` (`code` is `invalid_request`, `field` names the argument) for a key, a cost or an option that
   * is invalid. With `config: 'table'`, rejects with `ZaelError` for a key that is no entity (`not_found`) or a disabled one
   * (`unauthorized`); where that cannot be read, `onUnavailable` decides.
   */
  check(key: string | number, options?: CheckOptions): Promise<RateLimitDecision>
  /** As `check`, with a cost that is corrected when the actual one is known. */
  reserve(key: string | number, options?: CheckOptions): Promise<RateLimitReservation>
  /** Writes what is counted and not yet written. Where nothing runs after an answer (Lambda), call it before. */
  flush(): Promise<void>
  /** Writes what is counted, and stops. The store stays open. */
  close(): Promise<void>
}

/** While the store is away, trying again makes sense once a second. */
const UNAVAILABLE_RETRY_MS = 1000

/** A decision in ns, as headers are made of it. `decidedAtNs`: ns since the epoch. */
export interface ExactDecision {
  readonly decision: Decision
  readonly decidedAtNs: bigint
}

/** Beside the public decision rather than in it: its BigInts cannot be serialized as JSON. */
const exact = new WeakMap<RateLimitDecision, ExactDecision>()

/** What `described` was made of. Throws `TypeError` for a decision that no limiter of this package returned. */
export const exactDecision = (described: RateLimitDecision): ExactDecision => {
  const found = exact.get(described)
  if (found === undefined) {
    throw new TypeError('limiter must return the decisions of createRateLimiter() themselves, not copies')
  }
  return found
}

/** A decision in milliseconds and plain numbers, with `methods` added to it. `decidedAtNs`: ns since the epoch. */
export const describedDecision = <Methods extends object>(
  decision: Decision,
  decidedAtNs: bigint,
  methods: Methods,
): RateLimitDecision & Methods => {
  const described = { ...plainDecision(decision), ...methods }
  exact.set(described, { decision, decidedAtNs })
  return described
}

const plainDecision = (decision: Decision): RateLimitDecision => ({
  allowed: decision.allowed,
  retryAfterMs: retryAfterMsOf(decision),
  unavailable: !decision.allowed && decision.unavailable,
  degraded: decision.degraded,
  ...(decision.unavailableCause !== undefined && { unavailableCause: decision.unavailableCause }),
  limits: decision.limits.map(limitUse),
  violations: decision.allowed ? [] : decision.violations.map(violatedLimit),
  reported: decision.reported.map(violatedLimit),
})

const retryAfterMsOf = (decision: Decision): number | null => {
  if (decision.allowed) return 0
  return decision.unavailable ? UNAVAILABLE_RETRY_MS : msOrNever(decision.retryAfterNs)
}

const violatedLimit = ({ state, requested, retryAfterNs }: Violation): ViolatedLimit => ({
  ...limitUse(state),
  requested,
  retryAfterMs: msOrNever(retryAfterNs),
})

/** One limit in milliseconds and plain numbers. */
export const limitUse = (state: LimitState): LimitUse => ({
  name: state.limit.name,
  meter: state.limit.meter,
  entityId: state.entityId,
  resource: state.resource,
  capacity: state.capacity,
  available: state.available,
  used: state.used,
  resetAfterMs: ceilMs(state.resetNs),
  own: state.own,
  mode: state.limit.mode ?? 'enforce',
})

const msOrNever = (ns: bigint | null): number | null => (ns === null ? null : ceilMs(ns))

const ceilMs = (ns: bigint): number => Number((ns + 999_999n) / 1_000_000n)
