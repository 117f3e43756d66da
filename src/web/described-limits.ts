import type { LimitState, Violation } from '../core/decide/decision.ts'
import { isEnforced } from '../core/model/limit.ts'
import type { LimitMeter, Meter } from '../core/model/meter.ts'

/** Negative if `a` has the smaller available share; for equal shares, if `a` has the smaller capacity. */
const byShareLeft = (a: LimitState, b: LimitState): number =>
  a.available * b.capacity - b.available * a.capacity || a.capacity - b.capacity

const tightestOf = (limits: readonly LimitState[], meters: readonly Meter[]): LimitState | undefined => {
  let tightest: LimitState | undefined
  for (const state of limits) {
    if (!isEnforced(state.limit) || !isOneOf(meters, state.limit.meter)) continue
    if (tightest === undefined || byShareLeft(state, tightest) < 0) tightest = state
  }
  return tightest
}

/** No header describes the requests in flight. */
const isOneOf = (meters: readonly LimitMeter[], meter: LimitMeter): boolean => meters.includes(meter)

const REQUESTS: readonly Meter[] = ['requests']

/** Input or output tokens are described only if no limit applies to their sum. */
const TOKENS: readonly Meter[] = ['tokens']

const PARTS: readonly Meter[] = ['input_tokens', 'output_tokens']

const ALL_TOKENS: readonly Meter[] = [...TOKENS, ...PARTS]

/** The enforced limit on requests with the least available share. */
export const tightestRequests = (limits: readonly LimitState[]): LimitState | undefined =>
  tightestOf(limits, REQUESTS)

/** The enforced limit on tokens with the least available share; one on input or output tokens if none limits their sum. */
export const tightestTokens = (limits: readonly LimitState[]): LimitState | undefined =>
  tightestOf(limits, TOKENS) ?? tightestOf(limits, PARTS)

/** The limit that a client's headers describe for requests: the one that denied, else the caller's own, else a parent's. */
export const describedRequests = (
  limits: readonly LimitState[],
  violations: readonly Violation[],
): LimitState | undefined => deniedBy(violations, REQUESTS) ?? nearest(limits, REQUESTS)

/** The same for tokens. */
export const describedTokens = (
  limits: readonly LimitState[],
  violations: readonly Violation[],
): LimitState | undefined =>
  deniedBy(violations, ALL_TOKENS) ?? nearest(limits, TOKENS) ?? nearest(limits, PARTS)

/** The same for one meter. */
export const describedMeter = (
  limits: readonly LimitState[],
  violations: readonly Violation[],
  meter: Meter,
): LimitState | undefined => deniedBy(violations, [meter]) ?? nearest(limits, [meter])

/** The limit on tokens of the nearest parent that has one. */
export const parentsTokens = (limits: readonly LimitState[]): LimitState | undefined =>
  nearest(
    limits.filter(({ own }) => !own),
    TOKENS,
  )

/** The limit that denied with the longest wait; null (never) is the longest. */
const deniedBy = (violations: readonly Violation[], meters: readonly Meter[]): LimitState | undefined => {
  let longest: Violation | undefined
  for (const violation of violations) {
    if (!isOneOf(meters, violation.meter)) continue
    if (longest === undefined || isLonger(violation.retryAfterNs, longest.retryAfterNs)) longest = violation
  }
  return longest?.state
}

const isLonger = (a: bigint | null, b: bigint | null): boolean => b !== null && (a === null || a > b)

/** The tightest of the caller's own limits, else of the nearest parent's on these meters. `limits` are ordered nearest first. */
const nearest = (limits: readonly LimitState[], meters: readonly Meter[]): LimitState | undefined => {
  let found: LimitState | undefined
  for (const state of limits) {
    if (!isOfEntity(state, meters)) continue
    if (found === undefined || (state.own && !found.own)) found = state
    else if (state.entityId === found.entityId && byShareLeft(state, found) < 0) found = state
  }
  return found
}

const isOfEntity = ({ bucket, limit }: LimitState, meters: readonly Meter[]): boolean =>
  bucket.kind === 'entity' && isEnforced(limit) && isOneOf(meters, limit.meter)
