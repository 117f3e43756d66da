import type { LimitState } from '../../core/deciding/decision.ts'
import { isEnforced } from '../../core/limit/limit.ts'
import type { Meter } from '../../core/limit/meter.ts'

/** Negative where `a` has the lesser share left; among equals the caller's own limit comes first, then the smaller. */
const byShareLeft = (a: LimitState, b: LimitState): number =>
  a.available * b.capacity - b.available * a.capacity ||
  Number(b.own) - Number(a.own) ||
  a.capacity - b.capacity

const tightestOf = (limits: readonly LimitState[], meters: readonly Meter[]): LimitState | undefined => {
  let tightest: LimitState | undefined
  for (const state of limits) {
    if (!isEnforced(state.limit) || !meters.includes(state.limit.meter)) continue
    if (tightest === undefined || byShareLeft(state, tightest) < 0) tightest = state
  }
  return tightest
}

/** The limit on requests that denies, with the least share left. */
export const tightestRequests = (limits: readonly LimitState[]): LimitState | undefined =>
  tightestOf(limits, ['requests'])

/** The limit on tokens that denies, with the least share left; one on input or output tokens where nothing limits their sum. */
export const tightestTokens = (limits: readonly LimitState[]): LimitState | undefined =>
  tightestOf(limits, ['tokens']) ?? tightestOf(limits, ['input_tokens', 'output_tokens'])
