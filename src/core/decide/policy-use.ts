import { isEnforced } from '../model/limit.ts'
import { shownMeter } from '../model/meter.ts'
import type { Model } from '../model/model.ts'
import { byPrecedence, isNameScope, type PolicyKey, selectorInName } from '../model/policy.ts'
import type { Logger } from '../ports/platform.ts'
import type { Decision, LimitState } from './decision.ts'

/** The usage of one limit of a policy. */
export interface PolicyUse {
  readonly key: PolicyKey
  readonly state: LimitState
  /** The amount in use after an allowed request; for a denied one, the amount that it would have resulted in. */
  readonly count: number
}

/**
 * The usage of policies in a decision, most specific policy first, and for one policy the fullest limit first. Allowed: all
 * enforced limits on requests or on those in flight; denied: the limits that denied. The first is the primary one.
 */
export const policyUses = (decision: Decision): readonly PolicyUse[] => {
  const uses = decision.allowed
    ? decision.limits
        .filter(({ limit }) => shownMeter(limit.meter) === 'requests' && isEnforced(limit))
        .flatMap((state) => policyUsesOf(state, state.used))
    : decision.violations.flatMap(({ state, requested }) => policyUsesOf(state, state.used + requested))
  return uses.toSorted(
    (a, b) =>
      byPrecedence(a.key.scope, b.key.scope) || b.count * a.state.capacity - a.count * b.state.capacity,
  )
}

const policyUsesOf = (state: LimitState, count: number): readonly PolicyUse[] =>
  state.bucket.kind === 'policy' ? [{ key: keyOf(state.bucket, state), state, count }] : []

/** The policy of a bucket. Those of users and sessions have many, so their selector is in the name of the policy. */
const keyOf = ({ scope, selector }: PolicyKey, { entityId }: LimitState): PolicyKey => ({
  scope,
  selector: isNameScope(scope) ? selectorInName(scope, entityId) : selector,
})

/** Called with each decision on a model. Warns once per model if a budget has no effect because the model has no prices. */
export type UnpricedWatch = (model: Pick<Model, 'id' | 'prices'>, decision: Decision) => void

/** The most models to warn of. */
const MOST_WARNED = 1_000

export const createUnpricedWatch = (logger: Logger): UnpricedWatch => {
  const warned = new Set<string>()
  return ({ id, prices }, { limits }) => {
    if (prices !== null || warned.has(id)) return
    const budget = limits.find(({ limit }) => limit.meter === 'cost_usd_micros')
    if (budget === undefined || warned.size >= MOST_WARNED) return
    warned.add(id)
    logger.warn('budget without effect: the model has no prices', {
      model: id,
      entityId: budget.entityId,
      limitName: budget.limit.name,
    })
  }
}
