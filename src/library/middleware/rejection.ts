import type { Denied } from '../../core/decide/decision.ts'
import { flatDenial } from '../../web/denial-json.ts'
import { checkOptions } from '../arguments.ts'
import { exactDecision, type RateLimitDecision } from '../limiter/rate-limiter.ts'
import { checkHeaderOptions, type MiddlewareOptions } from './rate-limit-options.ts'
import { decisionHeaders } from './response-headers.ts'

/** The forms of the headers, as for a middleware. */
export type DecisionHeaderOptions = Pick<MiddlewareOptions<unknown>, 'headers' | 'resetFormat'>

/** The JSON of a response to a denied request. */
export interface RejectionBody {
  /** `rate_limit_exceeded`, or `unavailable` */
  readonly error: string
  readonly message: string
  /** Seconds until the same request would be allowed; null: never. Left out if the store is unavailable. */
  readonly retry_after_seconds?: number | null
  /** The limits that denied. Left out if the store is unavailable. */
  readonly violations?: readonly object[]
}

/** The response to a denied request. */
export interface Rejection {
  /** 503 if the store is unavailable and `onUnavailable` is `deny`. */
  readonly status: 429 | 503
  /** Names in lower case, `retry-after` among them; no `content-type`. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: RejectionBody
}

/**
 * The rate-limit headers of a decision, allowed or denied, for any framework. Names are in lower case. Throws `TypeError` for a copy of a
 * decision, and `ZaelError('invalid_request')` for an unknown option or form.
 *
 * @example
 * const decision = await limiter.check(userId)
 * reply.headers(rateLimitHeaders(decision))
 */
export const rateLimitHeaders = (
  decision: RateLimitDecision,
  options: DecisionHeaderOptions = {},
): Readonly<Record<string, string>> => {
  checkOptions<DecisionHeaderOptions>(options, { headers: true, resetFormat: true })
  checkHeaderOptions(options)
  const { headers: forms = ['ietf'], resetFormat = 'seconds' } = options
  return decisionHeaders(exactDecision(decision, NO_DECISION), { forms, resetFormat, isShadow: false })
}

/**
 * The response to a denied request, for any framework: what the middlewares send. Undefined if the decision allows the request. Throws as
 * `rateLimitHeaders` does.
 *
 * @example
 * const rejected = rejection(await limiter.check(userId))
 * if (rejected) return Response.json(rejected.body, rejected)
 */
export const rejection = (
  decision: RateLimitDecision,
  options: DecisionHeaderOptions = {},
): Rejection | undefined => {
  const headers = rateLimitHeaders(decision, options)
  const exact = exactDecision(decision).decision
  return exact.allowed ? undefined : { ...rejectedBy(exact), headers }
}

const NO_DECISION = 'decision must be what check() or reserve() returned, not a copy'

/** The status and the body for a denied request. */
export const rejectedBy = (denied: Denied): Pick<Rejection, 'status' | 'body'> =>
  denied.unavailable ? { status: 503, body: UNAVAILABLE } : { status: 429, body: flatDenial(denied) }

export const UNAVAILABLE: RejectionBody = {
  error: 'unavailable',
  message: 'The store is not reachable; please try again',
}
