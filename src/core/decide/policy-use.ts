import { isEnforced } from '../model/limit.ts'
import type { Model } from '../model/model.ts'
import { byPrecedence, type PolicyKey } from '../model/policy.ts'
import type { Logger } from '../ports/platform.ts'
import type { Decision, LimitState } from './decision.ts'

/** How much of one limit of a policy is used. */
export interface PolicyUse {
  readonly key: PolicyKey
  readonly state: LimitState
  /** What is in use after an allowed request; what a denied one would have made of it. */
  readonly count: number
}

/**
 * The policies in a decision, most specific first, of one policy the fullest limit first: all enforced limits on
 * requests where it allowed, those that denied where it did not. The first is the primary one.
 */
export const policyUses = (decision: Decision): readonly PolicyUse[] => {
  const uses = decision.allowed
    ? decision.limits
        .filter(({ limit }) => limit.meter === 'requests' && isEnforced(limit))
        .flatMap((state) => policyUsesOf(state, state.used))
    : decision.violations.flatMap(({ state, requested }) => policyUsesOf(state, state.used + requested))
  return uses.toSorted(
    (a, b) =>
      byPrecedence(a.key.scope, b.key.scope) || b.count * a.state.capacity - a.count * b.state.capacity,
  )
}

const policyUsesOf = (state: LimitState, count: number): readonly PolicyUse[] =>
  state.bucket.kind === 'policy'
    ? [{ key: { scope: state.bucket.scope, selector: state.bucket.selector }, state, count }]
    : []

/** Told of each decision on a model; warns, once for each model, where a budget cannot bind because the model has no prices. */
export type UnpricedWatch = (model: Pick<Model, 'id' | 'prices'>, decision: Decision) => void

/** Models of which it is known that they were warned of. */
const MOST_KNOWN = 1_000

export const createUnpricedWatch = (logger: Logger): UnpricedWatch => {
  const warned = new Set<string>()
  return ({ id, prices }, { limits }) => {
    if (prices !== null || warned.has(id)) return
    const budget = limits.find(({ limit }) => limit.meter === 'cost_usd_micros')
    if (budget === undefined || warned.size >= MOST_KNOWN) return
    warned.add(id)
    logger.warn('A budget does not bind: the model has no prices', {
      model: id,
      entityId: budget.entityId,
      limitName: budget.limit.name,
    })
  }
}
