import type { Denied, LimitState, Violation } from '../../core/decide/decision.ts'
import { IN_FLIGHT, type Meter } from '../../core/model/meter.ts'
import { DAY_SECONDS, HOUR_SECONDS } from '../../core/model/time.ts'
import { denialFields, flatDenial } from '../../web/denial-json.ts'
import { goDuration, isQuota } from '../../web/rate-limit-headers.ts'
import type { HttpSettings } from '../app-dependencies.ts'
import { flatError, type Problem, type ProblemCode, waitFields } from './problem.ts'

type ErrorFormat = HttpSettings['errorFormat']

/** The body of an error in `/v1`: in OpenAI's format, or flat with ERROR_FORMAT=flat. */
export const v1Error = (problem: Problem, format: ErrorFormat) =>
  format === 'flat' ? flatError(problem) : openAiError(problem)

/** The body of a chat's 429. */
export const v1Denial = (denied: Denied, subject: DeniedSubject, format: ErrorFormat) =>
  format === 'flat'
    ? flatDenial(denied)
    : { error: { ...denialError(denied, subject) }, ...denialFields(denied) }

/** All four fields of `error` are always present: official clients do not check for them. */
export const openAiError = (problem: Problem) => ({
  error: {
    message: problem.message,
    type: typeOf(problem),
    param: problem.field ?? null,
    code: OPENAI_CODES[problem.code] ?? problem.code,
  },
  message: problem.message,
  ...waitFields(problem),
})

const OPENAI_CODES: Readonly<Partial<Record<ProblemCode, string>>> = { unauthorized: 'invalid_api_key' }

const typeOf = ({ status }: Problem): string => {
  if (status === 429) return 'requests'
  return status >= 500 ? 'server_error' : 'invalid_request_error'
}

/** The subject of a denial: which model, in which organization. */
export interface DeniedSubject {
  readonly model: string
  /** The root ancestor of the entity, or itself. */
  readonly organization: string
}

/** OpenAI's `error` of a denial. */
export interface DenialError {
  readonly message: string
  readonly type: 'requests' | 'tokens' | 'insufficient_quota'
  readonly param: null
  readonly code: 'rate_limit_exceeded' | 'insufficient_quota'
}

/** Describes the violation with the longest wait; null (never) is the longest. */
export const denialError = (denied: Denied, subject: DeniedSubject): DenialError => {
  const violation = longestWait(denied)
  const wait = violation.retryAfterNs
  const message = wait === null ? neverPasses(violation, subject) : reached(violation, wait, subject)
  // money is neither requests nor tokens, even if the budget is smaller than the cost
  if (violation.meter === 'cost_usd_micros' || (wait !== null && isQuota(violation)))
    return { message, type: 'insufficient_quota', param: null, code: 'insufficient_quota' }
  const type = violation.meter === 'requests' || violation.meter === IN_FLIGHT ? 'requests' : 'tokens'
  return { message, type, param: null, code: 'rate_limit_exceeded' }
}

/** The violation with the longest wait; among equal waits, one of the caller's own limits. */
export const longestWait = ({ violations }: Pick<Denied, 'violations'>): Violation => {
  const [first] = violations.toSorted(byWait)
  if (first === undefined) throw new Error('A denial without a violation has no message')
  return first
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
  const again = `Please try again in ${goDuration(retryAfterNs)}.`
  return `${what} ${place(violation, subject)}: ${numbers}. ${pacedText(violation)}${again}`
}

/** For a denial by a share of a limit. */
const pacedText = ({ factor }: Violation): string => {
  if (factor === undefined) return ''
  const percent = Math.max(1, Math.floor(factor * 100))
  return `The upstream of the model is at its own limit: ${percent} % of the limit applies. `
}

const neverPasses = (violation: Violation, subject: DeniedSubject): string =>
  violation.state.capacity === 0 ? paused(violation, subject) : tooLarge(violation, subject)

const paused = (violation: Violation, subject: DeniedSubject): string =>
  `Rate limit reached ${place(violation, subject)}: Limit 0, Used 0, Requested ${violation.requested}. ` +
  'The limit is paused: no request passes until it is raised.'

const tooLarge = (violation: Violation, subject: DeniedSubject): string =>
  `Request too large ${place(violation, subject)}: Limit ${violation.state.capacity}, Requested ${violation.requested}. ` +
  'The request must be made smaller: it can never pass.'

const METER_WORDS: Readonly<Record<Meter, readonly [plural: string, initials: string]>> = {
  requests: ['requests', 'R'],
  tokens: ['tokens', 'T'],
  input_tokens: ['input tokens', 'IT'],
  output_tokens: ['output tokens', 'OT'],
  cost_usd_micros: ['micro-dollars', 'USD'],
}

const WINDOWS: readonly (readonly [seconds: number, word: string, initial: string])[] = [
  [1, 'sec', 'S'],
  [60, 'min', 'M'],
  [HOUR_SECONDS, 'hour', 'H'],
  [DAY_SECONDS, 'day', 'D'],
  [604_800, 'week', 'W'],
]

const MONTH_DAYS = { least: 28, most: 31 }

/** The quantity that a limit counts, in OpenAI's wording: `requests per min (RPM)`, `tokens per day (TPD)`, `requests per 90s`, `concurrent requests`. */
export const limitWording = ({ limit, windowNs }: LimitState): string => {
  if (limit.meter === IN_FLIGHT) return 'concurrent requests'
  const [plural, initials] = METER_WORDS[limit.meter]
  const seconds = Number(windowNs) / 1e9
  const usual = WINDOWS.find(([length]) => Math.abs(seconds - length) <= length / 1000)
  if (usual !== undefined) return `${plural} per ${usual[1]} (${initials}P${usual[2]})`
  return `${plural} per ${isMonth(seconds / DAY_SECONDS) ? 'month' : `${Number(seconds.toPrecision(4))}s`}`
}

const isMonth = (days: number): boolean => days >= MONTH_DAYS.least && days <= MONTH_DAYS.most
