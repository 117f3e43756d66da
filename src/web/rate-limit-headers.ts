import { bucketKey } from '../core/bucket/bucket-store.ts'
import type { Decision, Denied, LimitState, Violation } from '../core/decide/decision.ts'
import { warningsOf } from '../core/decide/decision-log.ts'
import { isEnforced, type Limit } from '../core/model/limit.ts'
import { TOTAL_RESOURCE } from '../core/model/limit-set.ts'
import { IN_FLIGHT } from '../core/model/meter.ts'
import { DAY_NS, MS_NS, roundedUp, SECOND_NS, smaller } from '../core/model/time.ts'
import { ANTHROPIC_HEADERS, addAnthropic } from './anthropic-headers.ts'
import { describedRequests, describedTokens, parentsTokens } from './described-limits.ts'

/**
 * The headers of one response, names in lower case. Each response has its own record, to which every function may add: twenty
 * assignments to constant names take 0.2 µs, and spreading several records many times as long (docs/decisions/035).
 */
export type Headers = Record<string, string>

const WARNING_HEADER = 'x-ratelimit-warning'

/** Marks a response that was partly decided without the store. */
export const DEGRADED = 'x-zael-degraded'

/** Every header that describes a decision, for Access-Control-Expose-Headers. */
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
  ...ANTHROPIC_HEADERS,
  WARNING_HEADER,
  'ratelimit-policy',
  'ratelimit',
  'retry-after-ms',
  'retry-after',
  'x-should-retry',
  DEGRADED,
]

/** Waits that are longer end automatic retries: official clients obey any wait. */
export const MAX_RETRY_SECONDS = 60

const NONE: readonly Violation[] = []

/** The headers of a decision, allowed or denied, in the IETF's form. */
export const rateLimitHeaders = (decision: Decision, maxRetrySeconds = MAX_RETRY_SECONDS): Headers => {
  const headers: Headers = {}
  addIetf(headers, decision.limits, decision.allowed ? NONE : decision.violations)
  if (!decision.allowed && !decision.unavailable) addRetry(headers, decision, maxRetrySeconds)
  if (decision.degraded) headers[DEGRADED] = 'true'
  return headers
}

/**
 * The same with the headers that clients of models read: OpenAI's and X-RateLimit. `now` is the time of the decision, ns since
 * the epoch.
 */
export const modelRouteHeaders = (decision: Decision, now: bigint, maxRetrySeconds?: number): Headers => {
  const headers = rateLimitHeaders(decision, maxRetrySeconds)
  const described = describedBy(decision.limits, decision.allowed ? NONE : decision.violations)
  addOpenAiOf(headers, described, parentsTokens(decision.limits))
  addXRateLimitOf(headers, described, resetAsIso(now))
  addWarning(headers, decision)
  return headers
}

/** The same for `/v1/messages`, with Anthropic's headers. */
export const messagesHeaders = (decision: Decision, now: bigint, maxRetrySeconds?: number): Headers => {
  const headers = rateLimitHeaders(decision, maxRetrySeconds)
  addAnthropic(headers, decision, now)
  addWarning(headers, decision)
  return headers
}

/**
 * OpenAI's headers: one triple for requests, one for tokens, and one for the parent's limit on tokens.
 * https://platform.openai.com/docs/guides/rate-limits#rate-limits-in-headers
 */
export const addOpenAi = (
  headers: Headers,
  limits: readonly LimitState[],
  violations: readonly Violation[] = [],
): void => {
  addOpenAiOf(headers, describedBy(limits, violations), parentsTokens(limits))
}

/** The limits that the headers for requests and for tokens describe. */
interface Described {
  readonly requests: LimitState | undefined
  readonly tokens: LimitState | undefined
}

const describedBy = (limits: readonly LimitState[], violations: readonly Violation[]): Described => ({
  requests: describedRequests(limits, violations),
  tokens: describedTokens(limits, violations),
})

const addOpenAiOf = (
  headers: Headers,
  { requests, tokens }: Described,
  project: LimitState | undefined,
): void => {
  if (requests) {
    headers['x-ratelimit-limit-requests'] = String(requests.capacity)
    headers['x-ratelimit-remaining-requests'] = String(requests.available)
    headers['x-ratelimit-reset-requests'] = goDuration(requests.resetNs)
  }
  if (tokens) {
    headers['x-ratelimit-limit-tokens'] = String(tokens.capacity)
    headers['x-ratelimit-remaining-tokens'] = String(tokens.available)
    headers['x-ratelimit-reset-tokens'] = goDuration(tokens.resetNs)
  }
  if (project) {
    headers['x-ratelimit-limit-project-tokens'] = String(project.capacity)
    headers['x-ratelimit-remaining-project-tokens'] = String(project.available)
    headers['x-ratelimit-reset-project-tokens'] = goDuration(project.resetNs)
  }
}

/** The value of X-RateLimit-Reset. `resetNs`: ns until the limit is full again. */
export type ResetText = (resetNs: bigint) => string

/** Whole seconds, rounded up: `30`. */
export const resetInSeconds: ResetText = (resetNs) => String(ceilSeconds(resetNs))

/** A time: `2026-01-01T00:00:30.000Z`. `now`: ns since the epoch. */
export const resetAsIso =
  (now: bigint): ResetText =>
  (resetNs) =>
    isoTime(now + resetNs)

/**
 * X-RateLimit, for older clients: the same limits as OpenAI's headers.
 * Reset is when the limit on requests (without one: on tokens) is full again.
 */
export const addXRateLimit = (
  headers: Headers,
  limits: readonly LimitState[],
  resetOf: ResetText,
  violations: readonly Violation[] = [],
): void => addXRateLimitOf(headers, describedBy(limits, violations), resetOf)

const addXRateLimitOf = (headers: Headers, { requests, tokens }: Described, resetOf: ResetText): void => {
  const first = requests ?? tokens
  if (requests) {
    headers['x-ratelimit-limit'] = String(requests.capacity)
    headers['x-ratelimit-remaining'] = String(requests.available)
  }
  if (tokens) {
    headers['x-ratelimit-limit-tpm'] = String(tokens.capacity)
    headers['x-ratelimit-remaining-tpm'] = String(tokens.available)
  }
  if (first) headers['x-ratelimit-reset'] = resetOf(first.resetNs)
}

/** The end of the year 9999: a longer debt would exceed the range of dates. */
const LATEST_MS = 253_402_300_799_999n

const isoTime = (ns: bigint): string => {
  const ms = Number(smaller(ceilMs(ns), LATEST_MS))
  const msOfSecond = ms % MS_PER_SECOND
  return `${secondText(ms - msOfSecond)}.${String(msOfSecond).padStart(3, '0')}Z`
}

/** The last second that was formatted: limits of busy callers are full again in the same one. */
let formatted = { ms: 0, text: '1970-01-01T00:00:00' }

const secondText = (ms: number): string => {
  if (formatted.ms !== ms) formatted = { ms, text: new Date(ms).toISOString().slice(0, SECONDS_LENGTH) }
  return formatted.text
}

/** Of `1970-01-01T00:00:00`. */
const SECONDS_LENGTH = 19

const MS_PER_SECOND = 1000

const MS_PER_MINUTE = 60_000

const MS_PER_HOUR = 3_600_000n

/** ns as whole ms, rounded up, so that a wait of that length suffices. Never below 0. */
const ceilMs = (ns: bigint): bigint => (ns <= 0n ? 0n : roundedUp(ns, MS_NS))

/** ns as whole seconds, rounded up. */
const ceilSeconds = (ns: bigint): bigint => (ns <= 0n ? 0n : roundedUp(ns, SECOND_NS))

/** The format of Go's `time.Duration`, as in OpenAI's headers: `120ms`, `8.64s`, `6m0s`, `1h0m0.5s`. To the ms, rounded up. */
export const goDuration = (ns: bigint): string => {
  const total = ceilMs(ns)
  // the hours alone may exceed a safe integer
  const hours = total / MS_PER_HOUR
  const ms = Number(total % MS_PER_HOUR)
  if (hours === 0n && ms > 0 && ms < MS_PER_SECOND) return `${ms}ms`
  const minutes = Math.floor(ms / MS_PER_MINUTE)
  // below a minute, a quotient of whole ms and 1000 prints with at most three decimals
  const seconds = `${(ms % MS_PER_MINUTE) / MS_PER_SECOND}s`
  if (hours > 0n) return `${hours}h${minutes}m${seconds}`
  return minutes > 0 ? `${minutes}m${seconds}` : seconds
}

/** Integers of structured fields have at most 15 digits. https://www.rfc-editor.org/rfc/rfc9651#name-integers */
const MAX_INTEGER = 999_999_999_999_999

/**
 * RateLimit-Policy and RateLimit of draft-ietf-httpapi-ratelimit-headers-11: one item for each of the caller's own enforced
 * limits, and for each other limit that denied (`"proj-demo/rpm"`, `"GLOBAL/rph"`). `t` is the time to the end of a fixed
 * window. Other limits have it only if nothing is left: until then, a limit that refills continuously has no window in which
 * the remaining amount is all that can be used. Concurrency limits have no item: they have no window.
 */
export const addIetf = (
  headers: Headers,
  limits: readonly LimitState[],
  violations: readonly Violation[],
): void => {
  let [policies, items] = ['', '']
  const add = (state: LimitState, { name, policy }: ItemTexts): void => {
    const separator = policies === '' ? '' : ', '
    policies += separator + policy
    items += `${separator}${name};r=${integer(state.available)}${windowText(state, violations)}`
  }
  for (const state of limits)
    if (state.own && isEnforced(state.limit) && state.limit.meter !== IN_FLIGHT) add(state, ownTexts(state))
  for (const { state, meter } of violations) if (!state.own && meter !== IN_FLIGHT) add(state, textsOf(state))
  if (policies === '') return
  headers['ratelimit-policy'] = policies
  headers.ratelimit = items
}

/** The parts of a limit's items that stay the same from request to request. */
interface ItemTexts {
  /** `"rpm"` */
  readonly name: string
  /** `"rpm";q=60;w=60` */
  readonly policy: string
}

interface CachedTexts extends ItemTexts {
  readonly capacity: number
  readonly windowNs: bigint
  readonly isTotal: boolean
}

/** By limit, for as long as its configuration is cached. */
const cachedTexts = new WeakMap<Limit, CachedTexts>()

/** The texts of a limit of the caller. Composing them again for each response would take longer than all other headers. */
const ownTexts = (state: LimitState): ItemTexts => {
  const { limit, capacity, windowNs } = state
  const isTotal = isOverAll(state)
  const cached = cachedTexts.get(limit)
  if (cached?.capacity === capacity && cached.windowNs === windowNs && cached.isTotal === isTotal)
    return cached
  const texts = { ...textsOf(state), capacity, windowNs, isTotal }
  cachedTexts.set(limit, texts)
  return texts
}

const textsOf = (state: LimitState): ItemTexts => {
  const name = nameOf(state)
  const window = Math.max(1, Math.round(Number(state.windowNs) / 1e9))
  const policy = `${name};q=${integer(state.capacity)};w=${integer(window)}`
  const { meter } = state.limit
  return { name, policy: meter === 'requests' ? policy : `${policy};zael-meter="${meter}"` }
}

/** The name of an item: `"rpm"`; `"total/rpm"` on the bucket `_total_`, whose limits may have the same names. */
const nameOf = (state: LimitState): string => `"${ownedName(state)}"`

const ownedName = (state: LimitState): string => {
  const { limit, own, bucket } = state
  const name = isOverAll(state) ? `total/${limit.name}` : limit.name
  return own ? name : `${bucket.kind === 'policy' ? bucket.scope : bucket.entityId}/${name}`
}

const isOverAll = ({ resource, bucket }: LimitState): boolean =>
  resource === TOTAL_RESOURCE && bucket.kind === 'entity'

const windowText = (state: LimitState, violations: readonly Violation[]): string => {
  const windowNs = state.endsInNs ?? (state.available > 0 ? undefined : retryAfterOf(state, violations))
  return windowNs === undefined ? '' : `;t=${integer(Number(ceilSeconds(windowNs)))}`
}

/** ns until this limit allows the denied request; if it did not deny, or always will, until one token is available. */
const retryAfterOf = (state: LimitState, violations: readonly Violation[]): bigint | undefined => {
  const violation = violations.find(
    (each) =>
      each.state.limit.name === state.limit.name && bucketKey(each.state.bucket) === bucketKey(state.bucket),
  )
  return violation?.retryAfterNs ?? state.nextNs
}

const integer = (value: number): number => Math.min(Math.trunc(value), MAX_INTEGER)

/**
 * `rpm;used=8;limit=10, tpm;used=900;limit=1000`: the caller's own limits that are nearly used up, or exceeded without
 * denying. Limits of mode `shadow` are left out.
 */
export const addWarning = (headers: Headers, decision: Decision): void => {
  const warnings = warningsOf(decision)
  if (warnings.length === 0) return
  const items = warnings
    .filter(({ state }) => state.own && state.limit.mode !== 'shadow')
    .map(({ state }) => `${state.limit.name};used=${state.used};limit=${state.capacity}`)
  if (items.length > 0) headers[WARNING_HEADER] = items.join(', ')
}

/**
 * `budget;not-applied="my-model has no prices"`, beside other warnings: every budget that a request to a model without prices
 * meets, those of parents and policies as `team/budget`.
 */
export const addUnpriced = (headers: Headers, limits: readonly LimitState[], modelId: string): void => {
  for (const state of limits) {
    if (state.limit.meter !== 'cost_usd_micros' || state.limit.mode === 'shadow') continue
    const item = `${ownedName(state)};not-applied="${modelId} has no prices"`
    const others = headers[WARNING_HEADER]
    headers[WARNING_HEADER] = others === undefined ? item : `${others}, ${item}`
  }
}

/**
 * The retry headers of a 429. Official SDKs read `retry-after-ms` before `retry-after`. `x-should-retry: false` stops their
 * automatic retries if no wait suffices, if the wait is longer than `maxRetrySeconds`, or if the limit is a quota.
 */
export const addRetry = (
  headers: Headers,
  { retryAfterNs, violations }: Denied,
  maxRetrySeconds = MAX_RETRY_SECONDS,
): void => {
  const seconds = retryAfterNs === null ? null : ceilSeconds(retryAfterNs)
  if (seconds === null || seconds > BigInt(maxRetrySeconds) || violations.some(isQuota))
    headers['x-should-retry'] = 'false'
  if (retryAfterNs === null || seconds === null) return
  headers['retry-after-ms'] = String(ceilMs(retryAfterNs))
  headers['retry-after'] = String(seconds < 1n ? 1n : seconds)
}

/** Whether a limit is a quota (a window of a day or longer) or a budget (money): its wait is too long for a client. */
export const isQuota = ({ state, meter }: Violation): boolean =>
  meter === 'cost_usd_micros' || state.windowNs >= DAY_NS
