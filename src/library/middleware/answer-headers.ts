import type { Decision, Denied } from '../../core/deciding/decision.ts'
import type { Headers } from '../../http/headers/headers.ts'
import { addIetf } from '../../http/headers/ietf-headers.ts'
import { addOpenAi } from '../../http/headers/openai-headers.ts'
import { DEGRADED, RATE_LIMIT_HEADERS } from '../../http/headers/rate-limit-headers.ts'
import { addRetry } from '../../http/headers/retry-headers.ts'
import { addWarning } from '../../http/headers/warning-header.ts'
import { addXRateLimit } from '../../http/headers/x-ratelimit-headers.ts'
import type { RateLimitDecision } from '../limiter/rate-limiter.ts'

/** `x-ratelimit`: X-RateLimit-Limit, … `ietf`: RateLimit and RateLimit-Policy. `openai`: x-ratelimit-limit-requests, … */
export type HeaderForm = 'x-ratelimit' | 'ietf' | 'openai'

/** All headers that an answer can get, for Access-Control-Expose-Headers. */
export const rateLimitHeaderNames: readonly string[] = [...RATE_LIMIT_HEADERS, 'x-ratelimit-shadow']

const FORMS: Readonly<Record<HeaderForm, (headers: Headers, decision: Decision, now: bigint) => void>> = {
  openai: (headers, { limits }) => addOpenAi(headers, limits),
  'x-ratelimit': (headers, { limits }, now) => addXRateLimit(headers, limits, now),
  ietf: (headers, decision) => addIetf(headers, decision.limits, decision.allowed ? [] : decision.violations),
}

/** What an answer says of a decision. One that blocks no one (`isShadow`) tells nobody to wait. */
export const answerHeaders = (
  { decision, decidedAtNs }: RateLimitDecision,
  forms: readonly HeaderForm[],
  isShadow: boolean,
): Readonly<Headers> => {
  const headers: Headers = {}
  for (const form of forms) FORMS[form](headers, decision, decidedAtNs)
  addWarning(headers, decision)
  if (!decision.allowed) addWait(headers, decision, isShadow)
  if (decision.degraded) headers[DEGRADED] = 'true'
  return headers
}

const addWait = (headers: Headers, denied: Denied, isShadow: boolean): void => {
  if (isShadow) headers['x-ratelimit-shadow'] = 'denied'
  else if (denied.unavailable) headers['retry-after'] = '1'
  else addRetry(headers, denied)
}
