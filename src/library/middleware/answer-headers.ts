import type { Decision, Denied } from '../../core/decide/decision.ts'
import {
  addIetf,
  addOpenAi,
  addRetry,
  addWarning,
  addXRateLimit,
  DEGRADED,
  type Headers,
  RATE_LIMIT_HEADERS,
  type ResetText,
  resetAsIso,
  resetInSeconds,
} from '../../web/rate-limit-headers.ts'
import type { ExactDecision } from '../limiter/described-decision.ts'

/** `x-ratelimit`: X-RateLimit-Limit, … `ietf`: RateLimit and RateLimit-Policy. `openai`: x-ratelimit-limit-requests, … */
export const HEADER_FORMS = ['x-ratelimit', 'ietf', 'openai'] as const
export type HeaderForm = (typeof HEADER_FORMS)[number]

/** Most clients of X-RateLimit-Reset read a number; `iso` is what the HTTP API sends. */
export const RESET_FORMATS = ['seconds', 'iso'] as const
export type ResetFormat = (typeof RESET_FORMATS)[number]

/** All headers that an answer can get, for Access-Control-Expose-Headers. */
export const rateLimitHeaderNames: readonly string[] = [...RATE_LIMIT_HEADERS, 'x-ratelimit-shadow']

interface HeaderOptions {
  readonly forms: readonly HeaderForm[]
  readonly resetFormat: ResetFormat
  readonly isShadow: boolean
}

/** The headers of a decision. One that blocks no one (`isShadow`) contains no time to wait. */
export const answerHeaders = (
  { decision, decidedAtNs }: ExactDecision,
  { forms, resetFormat, isShadow }: HeaderOptions,
): Readonly<Headers> => {
  const headers: Headers = {}
  const resetOf = resetFormat === 'iso' ? resetAsIso(decidedAtNs) : resetInSeconds
  for (const form of forms) addForm(headers, form, decision, resetOf)
  addWarning(headers, decision)
  if (!decision.allowed) addWait(headers, decision, isShadow)
  if (decision.degraded) headers[DEGRADED] = 'true'
  return headers
}

const addForm = (headers: Headers, form: HeaderForm, decision: Decision, resetOf: ResetText): void => {
  const violations = decision.allowed ? [] : decision.violations
  if (form === 'openai') addOpenAi(headers, decision.limits, violations)
  else if (form === 'x-ratelimit') addXRateLimit(headers, decision.limits, resetOf, violations)
  else addIetf(headers, decision.limits, violations)
}

const addWait = (headers: Headers, denied: Denied, isShadow: boolean): void => {
  if (isShadow) headers['x-ratelimit-shadow'] = 'denied'
  else if (denied.unavailable) headers['retry-after'] = '1'
  else addRetry(headers, denied)
}
