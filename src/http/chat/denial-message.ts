import type { Denied, Violation } from '../../core/decide/decision.ts'
import { goDuration, isQuota } from '../../web/rate-limit-headers.ts'
import { limitWording } from './limit-wording.ts'

/** What a denied request was for. */
export interface DeniedSubject {
  readonly model: string
  /** The root ancestor of the entity, or itself. */
  readonly organization: string
}

/** The part of OpenAI's `error` that says which limit denied. */
export interface DenialError {
  readonly message: string
  readonly type: 'requests' | 'tokens' | 'insufficient_quota'
  readonly param: null
  readonly code: 'rate_limit_exceeded' | 'insufficient_quota'
}

/** Speaks of the violation that takes longest to pass: one that never does, before all others. */
export const denialError = (denied: Denied, subject: DeniedSubject): DenialError => {
  const violation = denied.violations.toSorted(byWait)[0]
  if (violation === undefined) throw new Error('A denial without a violation has no message')
  const wait = violation.retryAfterNs
  const message = wait === null ? neverPasses(violation, subject) : reached(violation, wait, subject)
  // dollars are neither requests nor tokens, even where the budget is smaller than what is asked
  if (violation.meter === 'cost_usd_micros' || (wait !== null && isQuota(violation)))
    return { message, type: 'insufficient_quota', param: null, code: 'insufficient_quota' }
  const type = violation.meter === 'requests' ? 'requests' : 'tokens'
  return { message, type, param: null, code: 'rate_limit_exceeded' }
}

const byWait = (a: Violation, b: Violation): number => {
  const [waitA, waitB] = [a.retryAfterNs, b.retryAfterNs]
  if (waitA === waitB) return Number(b.state.own) - Number(a.state.own)
  if (waitA === null) return -1
  return waitB === null || waitB > waitA ? 1 : -1
}

const place = (violation: Violation, { model, organization }: DeniedSubject): string =>
  `for ${model} in organization ${organization} on ${limitWording(violation.state)}`

const reached = (violation: Violation, retryAfterNs: bigint, subject: DeniedSubject): string => {
  const { state, requested } = violation
  const what = isQuota(violation) ? 'Quota exceeded' : 'Rate limit reached'
  const numbers = `Limit ${state.capacity}, Used ${state.used}, Requested ${requested}`
  return `${what} ${place(violation, subject)}: ${numbers}. Please try again in ${goDuration(retryAfterNs)}.`
}

const neverPasses = (violation: Violation, subject: DeniedSubject): string =>
  violation.state.capacity === 0 ? paused(violation, subject) : tooLarge(violation, subject)

const paused = (violation: Violation, subject: DeniedSubject): string =>
  `Rate limit reached ${place(violation, subject)}: Limit 0, Used 0, Requested ${violation.requested}. ` +
  'The limit is paused: no request passes until it is raised.'

const tooLarge = (violation: Violation, subject: DeniedSubject): string =>
  `Request too large ${place(violation, subject)}: Limit ${violation.state.capacity}, Requested ${violation.requested}. ` +
  'The request must be made smaller: it can never pass.'
