import { StoreUnavailable, ZaelError } from '../../core/errors.ts'
import type { Cost } from '../../core/limit/meter.ts'
import { flatDenial } from '../../http/errors/flat-error.ts'
import type {
  CheckOptions,
  RateLimitDecision,
  RateLimiter,
  RateLimitReservation,
} from '../limiter/rate-limiter.ts'
import { createBypass } from '../requests/bypass.ts'
import { ONE_REQUEST } from '../requests/cost-functions.ts'
import { createExemption } from '../requests/exemptions.ts'
import { byClientIp } from '../requests/key-functions.ts'
import type { AnswerFacts, RequestFacts } from '../requests/request-facts.ts'
import type { SettleFunction } from '../requests/settle-functions.ts'
import { answerHeaders } from './answer-headers.ts'
import { type GateParts, gateParts } from './gate-parts.ts'
import type { RateLimitOptions } from './rate-limit-options.ts'

/** What becomes of a request. */
export interface Admission {
  /** Answers in place of the app. */
  readonly refusal?: { readonly status: 401 | 429 | 503; readonly body: object }
  /** For the answer, the app's or the refusal. */
  readonly headers: Readonly<Record<string, string>>
  /** To be called when the app has answered. Never throws. */
  finish(answer: AnswerFacts): Promise<void>
}

/** Decides about requests, whatever the framework. */
export type Gate<Native> = (request: RequestFacts<Native>) => Promise<Admission>

const OPEN: Admission = { headers: {}, finish: async () => {} }

const UNAVAILABLE: Pick<Admission, 'refusal'> = {
  refusal: {
    status: 503,
    body: { error: 'unavailable', message: 'The store is not reachable; please try again' },
  },
}

/** Throws `ZaelError('invalid_request')` that names the option which cannot be. */
export const createGate = <Native>(options: RateLimitOptions<Native>): Gate<Native> => {
  const parts = gateParts(options)
  const keyOf = options.key ?? byClientIp()
  const isExempt = createExemption(options.exempt)
  const isBypassed = createBypass(options.bypass)
  const admit: Gate<Native> = async (request) => {
    if (await isExempt(request)) return OPEN
    if (await isBypassed(request)) {
      parts.metrics.count('bypassed')
      return OPEN
    }
    const key = (await keyOf(request)) || 'anonymous'
    const asked = { cost: await costOf(options, request), ...subjectOf(options, request) }
    const { decision, finish } = await decide(parts.limiter, key, asked, options.settle)
    parts.report(key, decision)
    return admissionOf(parts, decision, finish)
  }
  return async (request) => {
    try {
      return await admit(request)
    } catch (error) {
      return admittedInSpiteOf(error, parts)
    }
  }
}

const unauthorized = ({ code, message }: ZaelError): Admission => ({
  ...OPEN,
  refusal: { status: 401, body: { error: code, message } },
  headers: { 'www-authenticate': 'Bearer' },
})

/** A middleware that only watches lets pass what it cannot decide about; but not who may not ask at all. */
const admittedInSpiteOf = (error: unknown, { isShadow, logger }: GateParts): Admission => {
  if (error instanceof ZaelError && error.code === 'unauthorized') return unauthorized(error)
  if (isShadow) {
    logger.error('A request could not be decided about, and passed', { reason: String(error) })
    return OPEN
  }
  if (error instanceof StoreUnavailable) return { ...OPEN, ...UNAVAILABLE, headers: { 'retry-after': '1' } }
  throw error
}

const admissionOf = (
  { forms, isShadow }: GateParts,
  decision: RateLimitDecision,
  finish: Admission['finish'],
): Admission => ({
  headers: answerHeaders(decision, forms, isShadow),
  finish,
  ...(!isShadow && refusalOf(decision)),
})

const refusalOf = ({ decision }: RateLimitDecision): Pick<Admission, 'refusal'> => {
  if (decision.allowed) return {}
  return decision.unavailable ? UNAVAILABLE : { refusal: { status: 429, body: flatDenial(decision) } }
}

interface Decided {
  readonly decision: RateLimitDecision
  readonly finish: Admission['finish']
}

const decide = async (
  limiter: RateLimiter,
  key: string,
  asked: Required<Pick<CheckOptions, 'cost'>> & CheckOptions,
  settle: SettleFunction | undefined,
): Promise<Decided> => {
  if (settle === undefined) return { decision: await limiter.check(key, asked), finish: OPEN.finish }
  const reservation = await limiter.reserve(key, asked)
  return { decision: reservation, finish: (answer) => settleBy(settle, reservation, asked.cost, answer) }
}

const settleBy = async (
  settle: SettleFunction,
  reservation: RateLimitReservation,
  reserved: Cost,
  answer: AnswerFacts,
): Promise<void> => {
  const used = await Promise.resolve(answer)
    .then(settle)
    .catch(() => undefined)
  await reservation.settle(used ?? (answer.status < 400 ? {} : requestsAlone(reserved)))
}

/** An answer that failed and tells of no use has used nothing but the request. */
const requestsAlone = (reserved: Cost): Cost =>
  Object.fromEntries(
    Object.entries(reserved).map(([meter, amount]) => [meter, meter === 'requests' ? amount : 0]),
  )

const costOf = <Native>({ cost }: RateLimitOptions<Native>, request: RequestFacts<Native>) =>
  typeof cost === 'function' ? cost(request) : (cost ?? ONE_REQUEST)

const subjectOf = <Native>(
  { resource, user: userOf }: RateLimitOptions<Native>,
  request: RequestFacts<Native>,
): Pick<CheckOptions, 'resource' | 'user'> => {
  const name = typeof resource === 'function' ? resource(request) : resource
  const user = userOf?.(request)
  return { ...(name !== undefined && { resource: name }), ...(user !== undefined && { user }) }
}
