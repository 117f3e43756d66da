import type { LimitState } from '../../core/deciding/decision.ts'
import { goDuration } from './go-duration.ts'
import { tightestRequests, tightestTokens } from './tightest-limit.ts'

/**
 * OpenAI's headers, of whichever bucket has the least share left, the parents' included.
 * https://platform.openai.com/docs/guides/rate-limits#rate-limits-in-headers
 */
export const openAiHeaders = (limits: readonly LimitState[]): Readonly<Record<string, string>> => ({
  ...headersOf('requests', tightestRequests(limits)),
  ...headersOf('tokens', tightestTokens(limits)),
})

const headersOf = (what: 'requests' | 'tokens', state: LimitState | undefined) =>
  state && {
    [`x-ratelimit-limit-${what}`]: String(state.capacity),
    [`x-ratelimit-remaining-${what}`]: String(state.available),
    [`x-ratelimit-reset-${what}`]: goDuration(state.resetNs),
  }
