import { type ErrorCode, StoreUnavailable, ZaelError } from '../../core/model/errors.ts'
import type { Cost } from '../../core/model/meter.ts'
import { createOnceAMinute } from '../../core/ports/once-a-minute.ts'
import type { Logger } from '../../core/ports/platform.ts'
import { createConsoleLogger } from '../../platform/console-logger.ts'
import { systemClock } from '../../platform/runtime.ts'
import { flatDenial } from '../../web/denial-json.ts'
import { checkedActualCost, checkedCost, withoutUndefined } from '../arguments.ts'
import { createRateLimiter } from '../limiter/create-rate-limiter.ts'
import {
  type CheckOptions,
  exactDecision,
  type RateLimitDecision,
  type RateLimiter,
  type RateLimitReservation,
} from '../limiter/rate-limiter.ts'
import { type AnswerFacts, ONE_REQUEST, type RequestFacts, type SettleFunction } from '../requests/costs.ts'
import { createBypass, createExemption } from '../requests/exemptions.ts'
import { byClientIp } from '../requests/keys.ts'
import { checkRateLimitOptions, type LimiterOrLimits, type RateLimitOptions } from './rate-limit-options.ts'
import { createReport, type Report } from './reports.ts'
import { decisionHeaders, type HeaderForm, type LimitHeaders, type ResetFormat } from './response-headers.ts'

/** The result of limiting one request. */
export interface RequestOutcome {
  /** To be sent instead of the app's response. */
  readonly earlyResponse?: EarlyResponse
  /** For the response, the app's or the early one; left out if nothing was decided. */
  readonly limitHeaders?: LimitHeaders
  /** To be called with the app's response. Never throws. */
  finish(response: AnswerFacts): Promise<void>
}

interface EarlyResponse {
  readonly status: 401 | 429 | 503
  readonly body: object
}

/** Limits requests, independent of the framework. */
export interface RequestLimiter<Native> {
  /** Passed to key functions with each request. */
  readonly logger: Logger
  check(request: RequestFacts<Native>): Promise<RequestOutcome>
}

const PASS: RequestOutcome = { finish: async () => {} }

/** Throws `ZaelError('invalid_request')` whose `field` names the unknown or invalid option. */
export const createRequestLimiter = <Native>(options: RateLimitOptions<Native>): RequestLimiter<Native> => {
  checkRateLimitOptions(options)
  const parts = middlewareParts(options)
  const keyOf = options.key ?? byClientIp()
  const isExempt = createExemption(options.exempt)
  const isBypassed = createBypass(options.bypass)
  const outcome = async (request: RequestFacts<Native>): Promise<RequestOutcome> => {
    if (await isExempt(request)) return PASS
    if (await isBypassed(request)) {
      parts.metrics.count('bypassed')
      return PASS
    }
    const key = keyOrAnonymous(await keyOf(request))
    const charge = { cost: await costOf(options, request), ...subjectOf(options, request) }
    const { decision, finish } = await decide(parts, key, charge, options.settle)
    parts.report(String(key), decision)
    return outcomeOf(parts, decision, finish)
  }
  return {
    logger: parts.logger,
    async check(request) {
      try {
        return await outcome(request)
      } catch (error) {
        return outcomeOfError(error, parts)
      }
    },
  }
}

/** Requests without a key share the key `anonymous`. The limiter rejects a key that is neither text nor a number. */
const keyOrAnonymous = (key: string | number | null | undefined): string | number =>
  key === undefined || key === null || key === '' ? 'anonymous' : key

const endedEarly = (
  status: EarlyResponse['status'],
  body: object,
  headers: LimitHeaders['headers'],
): RequestOutcome => ({
  ...PASS,
  earlyResponse: { status, body },
  limitHeaders: { headers, denies: true, isShadow: false },
})

/** In shadow mode, a request passes if it cannot be decided; a caller without a valid key is rejected in every mode. */
const outcomeOfError = (error: unknown, { isShadow, logger }: MiddlewareParts): RequestOutcome => {
  if (error instanceof ZaelError && error.code === 'unauthorized') {
    return endedEarly(401, { error: error.code, message: error.message }, { 'www-authenticate': 'Bearer' })
  }
  if (isShadow) {
    logger.error('request passed without a decision', { reason: String(error) })
    return PASS
  }
  if (error instanceof StoreUnavailable) return endedEarly(503, UNAVAILABLE, { 'retry-after': '1' })
  throw error
}

const UNAVAILABLE: { readonly error: ErrorCode; readonly message: string } = {
  error: 'unavailable',
  message: 'The store is not reachable; please try again',
}

const outcomeOf = (
  { forms, resetFormat, isShadow }: MiddlewareParts,
  described: RateLimitDecision,
  finish: RequestOutcome['finish'],
): RequestOutcome => {
  const exact = exactDecision(described)
  const { decision } = exact
  const headers = decisionHeaders(exact, { forms, resetFormat, isShadow })
  const limitHeaders = { headers, denies: !decision.allowed && !isShadow, isShadow, decision }
  if (decision.allowed || isShadow) return { limitHeaders, finish }
  const earlyResponse: EarlyResponse = decision.unavailable
    ? { status: 503, body: UNAVAILABLE }
    : { status: 429, body: flatDenial(decision) }
  return { limitHeaders, finish, earlyResponse }
}

interface Decided {
  readonly decision: RateLimitDecision
  readonly finish: RequestOutcome['finish']
}

type ChargeOptions = CheckOptions & Required<Pick<CheckOptions, 'cost'>>

const decide = async (
  parts: MiddlewareParts,
  key: string | number,
  options: ChargeOptions,
  settle: SettleFunction | undefined,
): Promise<Decided> => {
  if (settle === undefined) return { decision: await parts.limiter.check(key, options), finish: PASS.finish }
  const reservation = await parts.limiter.reserve(key, options)
  const finish = (response: AnswerFacts) =>
    settleBy(settle, { parts, reservation, reserved: options.cost }, response)
  return { decision: reservation, finish }
}

interface Reserved {
  readonly parts: MiddlewareParts
  readonly reservation: RateLimitReservation
  readonly reserved: Cost
}

const settleBy = async (
  settle: SettleFunction,
  { parts, reservation, reserved }: Reserved,
  response: AnswerFacts,
): Promise<void> => {
  const used = await actualCost(settle, response, parts)
  await reservation.settle(used ?? (response.status < 400 ? {} : requestsAlone(reserved)))
}

/** Undefined if the response contains no usage, or the function fails: the response is complete and cannot be replaced. */
const actualCost = async (
  settle: SettleFunction,
  response: AnswerFacts,
  { logger, settleFailed }: MiddlewareParts,
): Promise<Cost | undefined> => {
  try {
    const used = await settle(response)
    return used === undefined || used === null ? undefined : checkedActualCost(used, 'settle()')
  } catch (error) {
    settleFailed((failures) => logger.error('settle failed', { reason: String(error), failures }))
    return undefined
  }
}

/** A failed response without usage costs the request alone. */
const requestsAlone = (reserved: Cost): Cost =>
  Object.fromEntries(
    Object.entries(reserved).map(([meter, amount]) => [meter, meter === 'requests' ? amount : 0]),
  )

const costOf = async <Native>(
  { cost }: RateLimitOptions<Native>,
  request: RequestFacts<Native>,
): Promise<Cost> =>
  typeof cost === 'function' ? checkedCost(await cost(request), 'cost()') : (cost ?? ONE_REQUEST)

const subjectOf = <Native>(
  { resource, user: userOf }: RateLimitOptions<Native>,
  request: RequestFacts<Native>,
): Pick<CheckOptions, 'resource' | 'user'> => {
  const name = typeof resource === 'function' ? resource(request) : resource
  const user = userOf?.(request)
  return { ...(name !== undefined && { resource: name }), ...(user !== undefined && { user }) }
}

/** What a middleware is built from. */
export interface MiddlewareParts {
  readonly limiter: RateLimiter
  readonly report: Report
  readonly forms: readonly HeaderForm[]
  readonly resetFormat: ResetFormat
  readonly isShadow: boolean
  readonly logger: Logger
  readonly metrics: { count(name: string, by?: number): void }
  /** Logs failures of the `settle` function. */
  readonly settleFailed: ReturnType<typeof createOnceAMinute>
}

const FORMS: readonly HeaderForm[] = ['x-ratelimit', 'ietf']

/** The options with their defaults. Throws `ZaelError('invalid_request')` for an invalid limit. */
const middlewareParts = <Native>(options: RateLimitOptions<Native>): MiddlewareParts => {
  const shared = sharedParts(options)
  const { headers: forms = FORMS, resetFormat = 'seconds', shadow: isShadow = false } = options
  return {
    ...shared,
    forms,
    resetFormat,
    isShadow,
    settleFailed: createOnceAMinute(shared.clock),
    limiter: limiterOf(options, shared),
    report: reportOf(options, shared),
  }
}

type SharedParts = ReturnType<typeof sharedParts>

const sharedParts = <Native>({ logger, metrics, clock }: RateLimitOptions<Native>) => ({
  logger: logger ?? createConsoleLogger('info'),
  metrics: metrics ?? { count() {} },
  clock: clock ?? systemClock,
})

/** Passes only the options of a limiter, because it rejects unknown ones. */
const limiterOf = (options: LimiterOrLimits, shared: SharedParts): RateLimiter => {
  if (options.limiter !== undefined) return options.limiter
  const { limits, resources, limitsFor, priorityOf, revision, name, store, onUnavailable, leaseTtlMs } =
    options
  const given = { limits, resources, limitsFor, priorityOf, revision, name, store, onUnavailable, leaseTtlMs }
  return createRateLimiter({ ...shared, ...withoutUndefined(given) })
}

const reportOf = <Native>(
  { onWarning, onDenied, shadow = false }: RateLimitOptions<Native>,
  shared: SharedParts,
): Report => createReport({ ...shared, onWarning, onDenied }, shadow)
