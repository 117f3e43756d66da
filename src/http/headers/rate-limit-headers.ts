import type { Decision } from '../../core/decide/decision.ts'
import type { Headers } from './headers.ts'
import { addIetf } from './ietf-headers.ts'
import { addOpenAi } from './openai-headers.ts'
import { addRetry } from './retry-headers.ts'
import { addWarning, WARNING_HEADER } from './warning-header.ts'
import { addXRateLimit, resetAsIso } from './x-ratelimit-headers.ts'

/** Says that a part of an answer was given without the store. */
export const DEGRADED = 'x-zael-degraded'

/** Every header that `rateLimitHeaders` can give, for Access-Control-Expose-Headers. */
export const RATE_LIMIT_HEADERS: readonly string[] = [
  'x-ratelimit-limit-requests',
  'x-ratelimit-remaining-requests',
  'x-ratelimit-reset-requests',
  'x-ratelimit-limit-tokens',
  'x-ratelimit-remaining-tokens',
  'x-ratelimit-reset-tokens',
  'x-ratelimit-limit-project-tokens',
  'x-ratelimit-remaining-project-tokens',
  'x-ratelimit-reset-project-tokens',
  'x-ratelimit-limit',
  'x-ratelimit-remaining',
  'x-ratelimit-limit-tpm',
  'x-ratelimit-remaining-tpm',
  'x-ratelimit-reset',
  WARNING_HEADER,
  'ratelimit-policy',
  'ratelimit',
  'retry-after-ms',
  'retry-after',
  'x-should-retry',
  DEGRADED,
]

/**
 * What an answer says of a decision, allowed or denied, in the three forms that clients read: OpenAI's, X-RateLimit
 * and IETF's. `now` is the time of the decision, ns since the epoch.
 */
export const rateLimitHeaders = (decision: Decision, now: bigint): Headers => {
  const headers: Headers = {}
  const violations = decision.allowed ? [] : decision.violations
  addOpenAi(headers, decision.limits, violations)
  addXRateLimit(headers, decision.limits, resetAsIso(now), violations)
  addIetf(headers, decision.limits, violations)
  addWarning(headers, decision)
  if (!decision.allowed && !decision.unavailable) addRetry(headers, decision)
  if (decision.degraded) headers[DEGRADED] = 'true'
  return headers
}
