import type { LimitState } from '../../core/deciding/decision.ts'
import { isEnforced } from '../../core/limit/limit.ts'
import type { Meter } from '../../core/limit/meter.ts'

/** Negative where `a` has the lesser share left; among equals the caller's own limit comes first, then the smaller. */
const byShareLeft = (a: LimitState, b: LimitState): number =>
  a.available * b.capacity - b.available * a.capacity ||
  Number(b.own) - Number(a.own) ||
  a.capacity - b.capacity

const tightestOf = (limits: readonly LimitState[], meters: readonly Meter[]): LimitState | undefined =>
  limits.filter(({ limit }) => isEnforced(limit) && meters.includes(limit.meter)).toSorted(byShareLeft)[0]

/** The limit on requests that denies, with the least share left. */
export const tightestRequests = (limits: readonly LimitState[]): LimitState | undefined =>
  tightestOf(limits, ['requests'])

/** The limit on tokens that denies, with the least share left; one on input or output tokens where nothing limits their sum. */
export const tightestTokens = (limits: readonly LimitState[]): LimitState | undefined =>
  tightestOf(limits, ['tokens']) ?? tightestOf(limits, ['input_tokens', 'output_tokens'])
