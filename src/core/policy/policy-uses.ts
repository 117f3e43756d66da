import type { Decision, LimitState } from '../deciding/decision.ts'
import { isEnforced } from '../limit/limit.ts'
import { byPrecedence, type PolicyKey } from './policy-key.ts'

/** How much of one limit of a policy is used. */
export interface PolicyUse {
  readonly key: PolicyKey
  readonly state: LimitState
  /** What is in use after an allowed request; what a denied one would have made of it. */
  readonly count: number
}

/**
 * What a decision says of policies, most specific first, of one policy the fullest limit first: all enforced limits on
 * requests where it allowed, those that denied where it did not. The first is the primary one.
 */
export const policyUses = (decision: Decision): readonly PolicyUse[] => {
  const uses = decision.allowed
    ? decision.limits
        .filter(({ limit }) => limit.meter === 'requests' && isEnforced(limit))
        .flatMap((state) => useOf(state, state.used))
    : decision.violations.flatMap(({ state, requested }) => useOf(state, state.used + requested))
  return uses.toSorted(
    (a, b) =>
      byPrecedence(a.key.scope, b.key.scope) || b.count * a.state.capacity - a.count * b.state.capacity,
  )
}

const useOf = (state: LimitState, count: number): readonly PolicyUse[] =>
  state.bucket.kind === 'policy'
    ? [{ key: { scope: state.bucket.scope, selector: state.bucket.selector }, state, count }]
    : []
