import type { Decision, LimitState } from '../deciding/decision.ts'
import { DEFAULT_WARN_AT } from '../limit/limit.ts'
import { limitKey } from './evaluations.ts'

/** A limit that deserves attention although it has not denied. */
export interface Warning {
  /** `near`: as much is in use as its `warn_at` says. `exceeded`: it only warns, and would have denied. */
  readonly kind: 'near' | 'exceeded'
  readonly state: LimitState
}

/** What a decision found nearly used up, or exceeded without denying; those exceeded first. */
export const warningsOf = (decision: Decision): readonly Warning[] => {
  const denied = decision.allowed ? [] : decision.violations
  const spokenOf = [...decision.reported, ...denied].map(({ state }) => limitKey(state))
  const near = decision.limits.filter((state) => isNear(state) && !spokenOf.includes(limitKey(state)))
  return [
    ...decision.reported.map(({ state }): Warning => ({ kind: 'exceeded', state })),
    ...near.map((state): Warning => ({ kind: 'near', state })),
  ]
}

const isNear = ({ used, capacity, limit }: LimitState): boolean =>
  used >= capacity * (limit.warnAt ?? DEFAULT_WARN_AT)
