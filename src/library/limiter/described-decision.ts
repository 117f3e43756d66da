import type { Decision, LimitState, Violation } from '../../core/decide/decision.ts'
import type { LimitUse, RateLimitDecision, ViolatedLimit } from './rate-limiter.ts'

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
