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
import { answerHeaders, type HeaderForm, type LimitHeaders, type ResetFormat } from './response-headers.ts'

/** What becomes of a request. */
export interface Admission {
  /** Answers in place of the app. */
  readonly refusal?: Refusal
  /** For the response, the app's or the refusal; left out where nothing was decided. */
  readonly limitHeaders?: LimitHeaders
  /** To be called when the app has answered. Never throws. */
  finish(answer: AnswerFacts): Promise<void>
}

interface Refusal {
  readonly status: 401 | 429 | 503
  readonly body: object
}

/** Decides about requests, whatever the framework. */
export interface Gate<Native> {
  /** Passed to key functions with each request. */
  readonly logger: Logger
  admit(request: RequestFacts<Native>): Promise<Admission>
}

const OPEN: Admission = { finish: async () => {} }

/** Throws `ZaelError('invalid_request')` that names the option which is unknown or invalid. */
export const createGate = <Native>(options: RateLimitOptions<Native>): Gate<Native> => {
  checkRateLimitOptions(options)
  const parts = gateParts(options)
  const keyOf = options.key ?? byClientIp()
  const isExempt = createExemption(options.exempt)
  const isBypassed = createBypass(options.bypass)
  const admit: Gate<Native>['admit'] = async (request) => {
    if (await isExempt(request)) return OPEN
    if (await isBypassed(request)) {
      parts.metrics.count('bypassed')
      return OPEN
    }
    const key = keyOrAnonymous(await keyOf(request))
    const asked = { cost: await costOf(options, request), ...subjectOf(options, request) }
    const { decision, finish } = await decide(parts, key, asked, options.settle)
    parts.report(String(key), decision)
    return admissionOf(parts, decision, finish)
  }
  return {
    logger: parts.logger,
    async admit(request) {
      try {
        return await admit(request)
      } catch (error) {
        return admittedInSpiteOf(error, parts)
      }
    },
  }
}

/** Requests without a key share one. What is neither text nor a number is an error of the limiter's. */
const keyOrAnonymous = (key: string | number | null | undefined): string | number =>
  key === undefined || key === null || key === '' ? 'anonymous' : key

const refused = (status: Refusal['status'], body: object, headers: LimitHeaders['headers']): Admission => ({
  ...OPEN,
  refusal: { status, body },
  limitHeaders: { headers, denies: true, isShadow: false },
})

/** A middleware that only watches lets pass what it cannot decide about; but not who may not ask at all. */
const admittedInSpiteOf = (error: unknown, { isShadow, logger }: GateParts): Admission => {
  if (error instanceof ZaelError && error.code === 'unauthorized') {
    return refused(401, { error: error.code, message: error.message }, { 'www-authenticate': 'Bearer' })
  }
  if (isShadow) {
    logger.error('A request could not be decided about, and passed', { reason: String(error) })
    return OPEN
  }
  if (error instanceof StoreUnavailable) return refused(503, UNAVAILABLE, { 'retry-after': '1' })
  throw error
}

const UNAVAILABLE: { readonly error: ErrorCode; readonly message: string } = {
  error: 'unavailable',
  message: 'The store is not reachable; please try again',
}

const admissionOf = (
  { forms, resetFormat, isShadow }: GateParts,
  described: RateLimitDecision,
  finish: Admission['finish'],
): Admission => {
  const exact = exactDecision(described)
  const { decision } = exact
  const headers = answerHeaders(exact, { forms, resetFormat, isShadow })
  const limitHeaders = { headers, denies: !decision.allowed && !isShadow, isShadow, decision }
  if (decision.allowed || isShadow) return { limitHeaders, finish }
  const refusal: Refusal = decision.unavailable
    ? { status: 503, body: UNAVAILABLE }
    : { status: 429, body: flatDenial(decision) }
  return { limitHeaders, finish, refusal }
}

interface Decided {
  readonly decision: RateLimitDecision
  readonly finish: Admission['finish']
}

type Asked = CheckOptions & Required<Pick<CheckOptions, 'cost'>>

const decide = async (
  parts: GateParts,
  key: string | number,
  asked: Asked,
  settle: SettleFunction | undefined,
): Promise<Decided> => {
  if (settle === undefined) return { decision: await parts.limiter.check(key, asked), finish: OPEN.finish }
  const reservation = await parts.limiter.reserve(key, asked)
  const finish = (answer: AnswerFacts) =>
    settleBy(settle, { parts, reservation, reserved: asked.cost }, answer)
  return { decision: reservation, finish }
}

interface Reserved {
  readonly parts: GateParts
  readonly reservation: RateLimitReservation
  readonly reserved: Cost
}

const settleBy = async (
  settle: SettleFunction,
  { parts, reservation, reserved }: Reserved,
  answer: AnswerFacts,
): Promise<void> => {
  const used = await actualCost(settle, answer, parts)
  await reservation.settle(used ?? (answer.status < 400 ? {} : requestsAlone(reserved)))
}

/** Undefined where the answer states no use, or the function fails: the response is made, and can no longer be refused. */
const actualCost = async (
  settle: SettleFunction,
  answer: AnswerFacts,
  { logger, settleFailed }: GateParts,
): Promise<Cost | undefined> => {
  try {
    const used = await settle(answer)
    return used === undefined || used === null ? undefined : checkedActualCost(used, 'settle()')
  } catch (error) {
    settleFailed((failures) => logger.error('settle failed', { reason: String(error), failures }))
    return undefined
  }
}

/** An answer that failed and tells of no use has used nothing but the request. */
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

/** What deciding about requests stands on. */
export interface GateParts {
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

/** The options with their defaults. Throws `ZaelError('invalid_request')` for a limit that cannot be. */
export const gateParts = <Native>(options: RateLimitOptions<Native>): GateParts => {
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

/** A limiter checks its own options, so it is given no others. */
const limiterOf = (options: LimiterOrLimits, shared: SharedParts): RateLimiter => {
  if (options.limiter !== undefined) return options.limiter
  const { limits, resources, limitsFor, priorityOf, revision, name, store, onUnavailable } = options
  const given = { limits, resources, limitsFor, priorityOf, revision, name, store, onUnavailable }
  return createRateLimiter({ ...shared, ...withoutUndefined(given) })
}

const reportOf = <Native>(
  { onWarning, onDenied, shadow = false }: RateLimitOptions<Native>,
  shared: SharedParts,
): Report => createReport({ ...shared, onWarning, onDenied }, shadow)
