import type { LimitState, Violation } from '../../core/decide/decision.ts'
import { goDuration } from './go-duration.ts'
import type { Headers } from './headers.ts'
import { describedRequests, describedTokens, parentsTokens } from './tightest-limit.ts'

/**
 * OpenAI's headers: one triple for requests, one for tokens, and one for the parent's limit on tokens.
 * https://platform.openai.com/docs/guides/rate-limits#rate-limits-in-headers
 */
export const addOpenAi = (
  headers: Headers,
  limits: readonly LimitState[],
  violations: readonly Violation[] = [],
): void => {
  addTriple(headers, 'requests', describedRequests(limits, violations))
  addTriple(headers, 'tokens', describedTokens(limits, violations))
  addTriple(headers, 'project-tokens', parentsTokens(limits))
}

const addTriple = (
  headers: Headers,
  what: 'requests' | 'tokens' | 'project-tokens',
  state: LimitState | undefined,
): void => {
  if (state === undefined) return
  headers[`x-ratelimit-limit-${what}`] = String(state.capacity)
  headers[`x-ratelimit-remaining-${what}`] = String(state.available)
  headers[`x-ratelimit-reset-${what}`] = goDuration(state.resetNs)
}
