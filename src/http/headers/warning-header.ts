import type { Decision } from '../../core/deciding/decision.ts'
import { warningsOf } from '../../core/reporting/warnings.ts'

export const WARNING_HEADER = 'x-ratelimit-warning'

/**
 * `rpm;used=8;limit=10, tpm;used=900;limit=1000`: the caller's own limits that are nearly used up, or exceeded without
 * denying. Limits of mode `shadow` are not spoken of.
 */
export const warningHeader = (decision: Decision): Readonly<Record<string, string>> => {
  const items = warningsOf(decision)
    .filter(({ state }) => state.own && state.limit.mode !== 'shadow')
    .map(({ state }) => `${state.limit.name};used=${state.used};limit=${state.capacity}`)
  return items.length === 0 ? {} : { [WARNING_HEADER]: items.join(', ') }
}
