import type { Decision, LimitState, Violation } from '../../core/decide/decision.ts'
import type { LimitMode } from '../../core/model/limit.ts'
import { type Cost, type Meter, shownMeter } from '../../core/model/meter.ts'
import type { PolicyContext } from '../../core/model/policy.ts'
import { MS_NS, roundedUp } from '../../core/model/time.ts'
import type { Clock } from '../../core/ports/platform.ts'
import { checkedActualCost, checkedLifetime } from '../arguments.ts'
import type { JwtIdentity } from '../requests/jwt-identity.ts'

/** One limit after a decision. */
export interface LimitUse {
  readonly name: string
  readonly meter: Meter
  /** The owner of the limit: the id of the key or of a parent, or a policy. */
  readonly entityId: string
  /** The resource of the bucket; `_default_` if the request named none. */
  readonly resource: string
  readonly capacity: number
  /** Whole tokens, never below 0. */
  readonly available: number
  /** capacity − available */
  readonly used: number
  /** ms until it is full again, rounded up */
  readonly resetAfterMs: number
  /** True: a limit of the key itself, not of a parent or a policy. */
  readonly own: boolean
  readonly mode: LimitMode
}

/** A limit that denied the request, or would have. */
export interface ViolatedLimit extends LimitUse {
  readonly requested: number
  /** ms until this limit would allow the request, rounded up; null: never, because it exceeds the capacity */
  readonly retryAfterMs: number | null
}

/** The decision about one request. Plain data, which `JSON.stringify` accepts. */
export interface RateLimitDecision {
  readonly allowed: boolean
  /** ms until the same request would be allowed, rounded up: 0 if it is allowed, null if it never will be. */
  readonly retryAfterMs: number | null
  /** True: the store is unavailable and `onUnavailable` of a limit is `deny`. Respond with 503, not 429. */
  readonly unavailable: boolean
  /** True: a part of the decision was made without the store. */
  readonly degraded: boolean
  /** The cause in one line, with name and message of the AWS error. For your logs, not for clients; only if `degraded`. */
  readonly unavailableCause?: string
  readonly limits: readonly LimitUse[]
  /** Empty if allowed. */
  readonly violations: readonly ViolatedLimit[]
  /** Limits of mode `warn` or `shadow` that the request exceeds. They deny nothing. */
  readonly reported: readonly ViolatedLimit[]
}

/** A decision with an estimated cost. Call one of the two methods; a second call has no effect. */
export interface RateLimitReservation extends RateLimitDecision {
  /**
   * Charges the actual cost instead of the estimate, per meter; a meter that is left out stays as reserved. Rejects with a
   * `TypeError` for an invalid cost, and can then be called again. Never rejects because the store is unavailable.
   */
  settle(actual: Cost): Promise<void>
  /** Refunds the whole estimate. Never throws. */
  release(): Promise<void>
  /**
   * Prolongs the slots of concurrency limits that the request holds: they expire `seconds` (1 to 3600) from now, or else after the
   * `lease_seconds` of each limit. Call it every third of that time while the request is in flight. Resolves to false if a slot has
   * expired and was taken, if the reservation has ended, holds none, or if the store is unavailable. Rejects with a `TypeError` for
   * an invalid time.
   */
  extend(seconds?: number): Promise<boolean>
}

export interface CheckOptions {
  /** Default: one request. Whole numbers of at least 0; `{}` charges nothing and only reads. */
  readonly cost?: Cost
  /** What the request uses, such as a model. All resources without limits of their own share one bucket. */
  readonly resource?: string
  /** The user of the key, if known: for policies on users. */
  readonly user?: string
  /** The session, such as the run of an agent, if known: for policies on sessions. */
  readonly session?: string
  /** The identity of a token, whose `key` is the key: its role selects limits, and its tenant is the parent. */
  readonly identity?: JwtIdentity
  /** Replaces what the table contains about the entity and the resource, for policies. */
  readonly context?: PolicyContext
  /**
   * True: the request holds a slot of each concurrency limit until it expires, although it is not reserved. For the middlewares,
   * which release it with the response; use `reserve` instead.
   */
  readonly hold?: boolean
}

export interface ReserveOptions extends CheckOptions {
  /**
   * When the slots of concurrency limits expire that are neither released nor extended, in seconds: 1 to 3600. Default: the
   * `lease_seconds` of each limit.
   */
  readonly expiresInSeconds?: number
}

/** Decides by the limits that it was created with. Create one per process and set of limits. */
export interface RateLimiter {
  /**
   * Charges `cost` to `key`, a text or number that identifies the caller (42 and '42' are one key). A denied request is not
   * charged. Rejects with a `TypeError` (`code` is `invalid_request`, `field` names the argument) for an invalid key, cost or
   * option. With `config: 'table'`, rejects with `ZaelError` for a key that is not an entity (`not_found`) or is disabled
   * (`unauthorized`); if that cannot be read, `onUnavailable` decides.
   */
  check(key: string | number, options?: CheckOptions): Promise<RateLimitDecision>
  /**
   * As `check`, with an estimated cost that is corrected once the actual cost is known. Until then, it holds a slot of each
   * concurrency limit.
   */
  reserve(key: string | number, options?: ReserveOptions): Promise<RateLimitReservation>
  /** Writes all pending counters. On Lambda, where nothing runs after the response, call it before the response. */
  flush(): Promise<void>
  /** Writes all pending counters and stops. The store stays open. */
  close(): Promise<void>
}

/** While the store is unavailable, one retry per second is useful. */
const UNAVAILABLE_RETRY_MS = 1000

/** A decision in ns, from which headers are made. `decidedAtNs`: ns since the epoch. */
export interface ExactDecision {
  readonly decision: Decision
  readonly decidedAtNs: bigint
}

/** A decision in milliseconds and plain numbers, in its own properties; the exact one is private, as JSON has no BigInts. */
class DescribedDecision implements RateLimitDecision {
  readonly allowed: boolean
  readonly retryAfterMs: number | null
  readonly unavailable: boolean
  readonly degraded: boolean
  declare readonly unavailableCause?: string
  readonly limits: readonly LimitUse[]
  readonly violations: readonly ViolatedLimit[]
  readonly reported: readonly ViolatedLimit[]
  readonly #exact: Decision
  readonly #decidedAtNs: bigint

  constructor(decision: Decision, decidedAtNs: bigint) {
    this.allowed = decision.allowed
    this.retryAfterMs = retryAfterMsOf(decision)
    this.unavailable = !decision.allowed && decision.unavailable
    this.degraded = decision.degraded
    if (decision.unavailableCause !== undefined) this.unavailableCause = decision.unavailableCause
    this.limits = decision.limits.map(limitUse)
    this.violations = decision.allowed ? [] : decision.violations.map(violatedLimit)
    this.reported = decision.reported.map(violatedLimit)
    this.#exact = decision
    this.#decidedAtNs = decidedAtNs
  }

  static exactOf(described: RateLimitDecision): ExactDecision | undefined {
    if (!(#exact in described)) return undefined
    return { decision: described.#exact, decidedAtNs: described.#decidedAtNs }
  }
}

class DescribedReservation extends DescribedDecision implements RateLimitReservation {
  readonly settle: RateLimitReservation['settle']
  readonly release: RateLimitReservation['release']
  declare readonly extend: RateLimitReservation['extend']

  constructor(decision: Decision, decidedAtNs: bigint, clock: Pick<Clock, 'now'>) {
    super(decision, decidedAtNs)
    const extend: RateLimitReservation['extend'] = async (seconds) => {
      const lifetimeNs = seconds === undefined ? undefined : checkedLifetime(seconds, 'seconds')
      const held = decision.allowed ? decision.reservation.held : undefined
      if (held === undefined) return false
      return held.renew(lifetimeNs === undefined ? undefined : clock.now() + lifetimeNs)
    }
    // not enumerable: the data of a reservation is cloned without `settle` and `release` by apps that name only these
    Object.defineProperty(this, 'extend', { value: extend })
    this.settle = async (actual) => {
      const cost = checkedActualCost(actual)
      if (decision.allowed) await decision.reservation.settle(cost)
    }
    this.release = async () => {
      if (decision.allowed) await decision.reservation.release()
    }
  }
}

/**
 * The exact decision behind `described`. Throws `TypeError` for a value that no limiter of this package returned: `text` states what
 * is wrong with it.
 */
export const exactDecision = (
  described: RateLimitDecision,
  text = 'limiter must return the decisions of createRateLimiter() themselves, not copies',
): ExactDecision => {
  const isObject = typeof described === 'object' && described !== null
  const found = isObject ? DescribedDecision.exactOf(described) : undefined
  if (found === undefined) throw new TypeError(text)
  return found
}

/** `decidedAtNs`: ns since the epoch. */
export const describedDecision = (decision: Decision, decidedAtNs: bigint): RateLimitDecision =>
  new DescribedDecision(decision, decidedAtNs)

export const describedReservation = (
  decision: Decision,
  decidedAtNs: bigint,
  clock: Pick<Clock, 'now'>,
): RateLimitReservation => new DescribedReservation(decision, decidedAtNs, clock)

const retryAfterMsOf = (decision: Decision): number | null => {
  if (decision.allowed) return 0
  return decision.unavailable ? UNAVAILABLE_RETRY_MS : msOrNever(decision.retryAfterNs)
}

/** Not by a spread, which takes longer than all the rest. */
const violatedLimit = ({ state, requested, retryAfterNs }: Violation): ViolatedLimit =>
  Object.assign(limitUse(state), { requested, retryAfterMs: msOrNever(retryAfterNs) })

/** One limit in milliseconds and plain numbers. */
export const limitUse = (state: LimitState): LimitUse => ({
  name: state.limit.name,
  meter: shownMeter(state.limit.meter),
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

/** Below it, the quotient of numbers rounds up exactly. */
const EXACT_NS = 2n ** 52n

const ceilMs = (ns: bigint): number =>
  ns < EXACT_NS ? Math.ceil(Number(ns) / 1e6) : Number(roundedUp(ns, MS_NS))
