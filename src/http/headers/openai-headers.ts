import type { LimitState } from '../../core/deciding/decision.ts'
import { goDuration } from './go-duration.ts'
import type { Headers } from './headers.ts'
import { tightestRequests, tightestTokens } from './tightest-limit.ts'

/**
 * OpenAI's headers, of whichever bucket has the least share left, the parents' included.
 * https://platform.openai.com/docs/guides/rate-limits#rate-limits-in-headers
 */
export const addOpenAi = (headers: Headers, limits: readonly LimitState[]): void => {
  const requests = tightestRequests(limits)
  if (requests) {
    headers['x-ratelimit-limit-requests'] = String(requests.capacity)
    headers['x-ratelimit-remaining-requests'] = String(requests.available)
    headers['x-ratelimit-reset-requests'] = goDuration(requests.resetNs)
  }
  const tokens = tightestTokens(limits)
  if (tokens) {
    headers['x-ratelimit-limit-tokens'] = String(tokens.capacity)
    headers['x-ratelimit-remaining-tokens'] = String(tokens.available)
    headers['x-ratelimit-reset-tokens'] = goDuration(tokens.resetNs)
  }
}
