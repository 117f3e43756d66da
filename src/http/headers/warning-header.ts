import type { Decision } from '../../core/decide/decision.ts'
import { warningsOf } from '../../core/decide/decision-log.ts'
import type { Headers } from './headers.ts'

export const WARNING_HEADER = 'x-ratelimit-warning'

/**
 * `rpm;used=8;limit=10, tpm;used=900;limit=1000`: the caller's own limits that are nearly used up, or exceeded without
 * denying. Limits of mode `shadow` are not spoken of.
 */
export const addWarning = (headers: Headers, decision: Decision): void => {
  const items = warningsOf(decision)
    .filter(({ state }) => state.own && state.limit.mode !== 'shadow')
    .map(({ state }) => `${state.limit.name};used=${state.used};limit=${state.capacity}`)
  if (items.length > 0) headers[WARNING_HEADER] = items.join(', ')
}
