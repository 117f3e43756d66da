import type { Decision } from '../../core/deciding/decision.ts'
import { ietfHeaders } from '../../http/headers/ietf-headers.ts'
import { openAiHeaders } from '../../http/headers/openai-headers.ts'
import { RATE_LIMIT_HEADERS } from '../../http/headers/rate-limit-headers.ts'
import { retryHeaders } from '../../http/headers/retry-headers.ts'
import { warningHeader } from '../../http/headers/warning-header.ts'
import { xRateLimitHeaders } from '../../http/headers/x-ratelimit-headers.ts'
import type { RateLimitDecision } from '../limiter/rate-limiter.ts'

/** `x-ratelimit`: X-RateLimit-Limit, … `ietf`: RateLimit and RateLimit-Policy. `openai`: x-ratelimit-limit-requests, … */
export type HeaderForm = 'x-ratelimit' | 'ietf' | 'openai'

/** All headers that an answer can get, for Access-Control-Expose-Headers. */
export const rateLimitHeaderNames: readonly string[] = [...RATE_LIMIT_HEADERS, 'x-ratelimit-shadow']

type Headers = Readonly<Record<string, string>>

const FORMS: Readonly<Record<HeaderForm, (decision: Decision, now: bigint) => Headers>> = {
  openai: ({ limits }) => openAiHeaders(limits),
  'x-ratelimit': ({ limits }, now) => xRateLimitHeaders(limits, now),
  ietf: (decision) => ietfHeaders(decision.limits, decision.allowed ? [] : decision.violations),
}

/** What an answer says of a decision. One that blocks no one (`isShadow`) tells nobody to wait. */
export const answerHeaders = (
  { decision, decidedAtNs }: RateLimitDecision,
  forms: readonly HeaderForm[],
  isShadow: boolean,
): Headers => ({
  ...Object.assign({}, ...forms.map((form) => FORMS[form](decision, decidedAtNs))),
  ...warningHeader(decision),
  ...(!decision.allowed && (isShadow ? { 'x-ratelimit-shadow': 'denied' } : waitHeaders(decision))),
  ...(decision.degraded && { 'x-zael-degraded': 'true' }),
})

const waitHeaders = (denied: Extract<Decision, { readonly allowed: false }>): Headers =>
  denied.unavailable ? { 'retry-after': '1' } : retryHeaders(denied)
