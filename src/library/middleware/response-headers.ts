import type { Decision, Denied } from '../../core/decide/decision.ts'
import { usedShare } from '../../core/decide/limit-state.ts'
import { isEnforced } from '../../core/model/limit.ts'
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
import type { ExactDecision } from '../limiter/rate-limiter.ts'

/** `x-ratelimit`: X-RateLimit-Limit, … `ietf`: RateLimit and RateLimit-Policy. `openai`: x-ratelimit-limit-requests, … */
export const HEADER_FORMS = ['x-ratelimit', 'ietf', 'openai'] as const

export type HeaderForm = (typeof HEADER_FORMS)[number]

/** Most clients read X-RateLimit-Reset as a number; the HTTP API sends `iso`. */
export const RESET_FORMATS = ['seconds', 'iso'] as const

export type ResetFormat = (typeof RESET_FORMATS)[number]

/** All headers that a response may have, for Access-Control-Expose-Headers. */
export const rateLimitHeaderNames: readonly string[] = [...RATE_LIMIT_HEADERS, 'x-ratelimit-shadow']

/** What the headers of a middleware contain. */
export interface HeaderOptions {
  readonly forms: readonly HeaderForm[]
  readonly resetFormat: ResetFormat
  readonly isShadow: boolean
}

/** The headers of a decision. In shadow mode they contain no time to wait, because the request passes. */
export const decisionHeaders = (
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

/** The headers of one limiter for one response. */
export interface LimitHeaders {
  readonly headers: Readonly<Headers>
  /** Whether this limiter denies the request. */
  readonly denies: boolean
  /** True: the limiter is in shadow mode and denies nothing. */
  readonly isShadow: boolean
  /** Left out if the request was rejected before any limit was read. */
  readonly decision?: Decision
}

/** Changes the headers of a framework's response. */
export interface HeaderWriter<Target> {
  set(target: Target, name: string, value: string): void
  remove(target: Target, name: string): void
}

/**
 * What a response describes, by the framework's object that all limiters of a request share. Not a property of the object: Express
 * replaces the prototype of its responses, and adding a property to one takes 5 µs.
 */
const described = new WeakMap<object, LimitHeaders>()

/** The headers that the response must have. */
export const headersOf = (target: object): Readonly<Headers> => described.get(target)?.headers ?? {}

/** Whether a limiter has decided about the request of this target before. */
export const isDescribed = (target: object): boolean => described.has(target)

/** Removes what a target describes, for one that may belong to another request later. */
export const forgetResponse = (target: object): void => void described.delete(target)

/**
 * If several limiters decide about one request, its response describes the one that denies, else the one with the least
 * share left, independent of the order in which they are mounted. It is degraded if one of them is.
 */
export const describeResponse = <Target extends object>(
  target: Target,
  own: LimitHeaders,
  writer: HeaderWriter<Target>,
): void => {
  const other = described.get(target)
  const shown = other === undefined ? own : tighterOf(own, other)
  if (shown === other) return
  if (other !== undefined) {
    for (const name in other.headers) if (!(name in shown.headers)) writer.remove(target, name)
  }
  for (const name in shown.headers) writer.set(target, name, shown.headers[name] ?? '')
  described.set(target, shown)
}

const tighterOf = (own: LimitHeaders, other: LimitHeaders): LimitHeaders => {
  const shown = isTighter(own, other) ? own : other
  const isDegraded = DEGRADED in own.headers || DEGRADED in other.headers
  if (!isDegraded || DEGRADED in shown.headers) return shown
  return { ...shown, headers: { ...shown.headers, [DEGRADED]: 'true' } }
}

const isTighter = (a: LimitHeaders, b: LimitHeaders): boolean => {
  if (a.denies || b.denies) return a.denies
  if (a.isShadow !== b.isShadow) return b.isShadow
  return leastShare(a) < leastShare(b)
}

/** Least share left of the caller's own limits, which the headers describe; 1 without limits. */
const leastShare = ({ decision }: LimitHeaders): number => {
  let least = 1
  for (const state of decision?.limits ?? []) {
    if (state.own && isEnforced(state.limit)) least = Math.min(least, 1 - usedShare(state))
  }
  return least
}
