import type { Allowed, Decision, DecisionRequest, Denied } from '../core/decide/decision.ts'
import type { Limiter } from '../core/decide/limiter.ts'
import { settledReservation } from '../core/decide/reservation.ts'
import { StoreUnavailable } from '../core/model/errors.ts'
import type { Cost } from '../core/model/meter.ts'
import type { Eventual } from '../core/ports/when-ready.ts'
import type { Headers } from '../web/rate-limit-headers.ts'
import type { HttpSettings } from './app-dependencies.ts'
import { anthropicDenial } from './errors/anthropic-error.ts'
import { type DeniedSubject, v1Denial, v1Error } from './errors/openai-error.ts'
import { problemOf } from './errors/problem.ts'
import { errorBody, type WireFormat } from './errors/wire-format.ts'

/** The part of the limiter that decides. */
export type Decider = Pick<
  Limiter,
  'decide' | 'decideAtOnce' | 'checkPolicies' | 'foreseesDenial' | 'largestAdmissible'
>

export interface DeciderNeeds {
  readonly limiter: Decider
  readonly settings: Pick<HttpSettings, 'bypassLimiter'>
}

/** The limiter. With BYPASS_LIMITER, a stand-in that allows everything, charges nothing and describes no limit. */
export const deciderOf = ({ limiter, settings }: DeciderNeeds): Decider =>
  settings.bypassLimiter ? bypass : limiter

const BYPASSED: Allowed = {
  allowed: true,
  degraded: false,
  limits: [],
  reported: [],
  reservation: settledReservation,
}

const NO_COST: Cost = {}

const bypass: Decider = {
  decide: async () => BYPASSED,
  decideAtOnce: () => BYPASSED,
  checkPolicies: async () => BYPASSED,
  foreseesDenial: () => false,
  largestAdmissible: () => NO_COST,
}

/** The decision itself if it needs neither a read nor a write. Throws, or rejects, as `Limiter.decide`. */
export const decisionOf = (decider: Decider, request: DecisionRequest): Eventual<Decision> =>
  decider.decideAtOnce(request) ?? decider.decide(request)

export type DenialBody = ReturnType<typeof v1Denial> | ReturnType<typeof v1UnavailableBody>

/** A response before it becomes JSON; headers may be added to it. */
export interface DenialResponse<Body = DenialBody> {
  readonly status: 429 | 503
  readonly headers: Headers
  readonly body: Body
}

type ErrorFormat = HttpSettings['errorFormat']

/**
 * The response of `/v1` to a denial: 429, or 503 if a limit with `on_unavailable: deny` could not be checked.
 * `headers` are the rate-limit headers of the decision.
 */
export const v1DenialResponse = (
  denied: Denied,
  subject: DeniedSubject,
  headers: Headers,
  format: ErrorFormat,
): DenialResponse =>
  denied.unavailable
    ? { status: 503, headers: { ...headers, ...UNAVAILABLE.headers }, body: v1UnavailableBody(format) }
    : { status: 429, headers, body: v1Denial(denied, subject, format) }

/** The same of a model route, in the form of its API. */
export const modelDenialResponse = (
  denied: Denied,
  subject: DeniedSubject & { readonly requestId: string },
  headers: Headers,
  format: WireFormat,
): DenialResponse<object> => {
  if (format !== 'anthropic') return v1DenialResponse(denied, subject, headers, format)
  const { requestId } = subject
  return denied.unavailable
    ? {
        status: 503,
        headers: { ...headers, ...UNAVAILABLE.headers },
        body: { ...errorBody(UNAVAILABLE, format, requestId), degraded: true },
      }
    : { status: 429, headers, body: anthropicDenial(denied, subject, requestId) }
}

const unavailable = () => new StoreUnavailable('A limit cannot be checked', { mayHaveApplied: false })

const UNAVAILABLE = problemOf(unavailable())

export const v1UnavailableBody = (format: ErrorFormat) => ({
  ...v1Error(UNAVAILABLE, format),
  degraded: true,
})

/** For a route that responds to denials with 200 too. Throws `StoreUnavailable` if a limit could not be checked. */
export const requireDecided = (decision: Decision): Decision => {
  if (!decision.allowed && decision.unavailable) throw unavailable()
  return decision
}
