import type { Reservation } from '../../core/decide/decision.ts'
import { StoreUnavailable, ZaelError } from '../../core/model/errors.ts'
import type { Cost } from '../../core/model/meter.ts'
import type { Logger } from '../../core/ports/platform.ts'
import { renewedWhileOpen } from '../../web/slot-renewal.ts'
import { isPending } from '../arguments.ts'
import type { Runtime } from '../limiter/create-rate-limiter.ts'
import { exactDecision, type RateLimitDecision } from '../limiter/rate-limiter.ts'
import type { RequestFacts, ResponseFacts, SettleFunction } from '../requests/costs.ts'
import { createBypass, createExemption } from '../requests/exemptions.ts'
import { identityOfKey } from '../requests/jwt-identity.ts'
import { byClientIp } from '../requests/keys.ts'
import { type ChargeOptions, createCharge } from './charge.ts'
import { type MiddlewareParts, middlewareParts } from './middleware-parts.ts'
import type { RateLimitOptions } from './rate-limit-options.ts'
import { rejectedBy, UNAVAILABLE } from './rejection.ts'
import { decisionHeaders, type LimitHeaders } from './response-headers.ts'
import { type Reserved, usedBy } from './settling.ts'

/** The result of limiting one request. */
export interface RequestOutcome {
  /** To be sent instead of the app's response. */
  readonly earlyResponse?: EarlyResponse
  /** For the response, the app's or the early one; left out if nothing was decided. */
  readonly limitHeaders?: LimitHeaders
  /** To be called with the app's response; left out if nothing is settled. Never throws. */
  readonly finish?: (response: ResponseFacts) => Promise<void>
  /** To be called after `finish`, when the response has been sent, or the client has left; left out if no slot is held. Never throws. */
  readonly end?: () => Promise<void>
}

export interface EarlyResponse {
  readonly status: 401 | 429 | 503
  readonly body: { readonly error: string; readonly message: string }
}

/** Limits requests, independent of the framework. */
export interface RequestLimiter<Native> {
  /** Passed to key functions with each request. */
  readonly logger: Logger
  check(request: RequestFacts<Native>): Promise<RequestOutcome>
  /** Writes what must not wait for a later request. Never throws. */
  flush(): Promise<void>
}

const PASS: RequestOutcome = {}

const SERVER: Runtime = { runsBetweenRequests: true }

/** Throws `ZaelError('invalid_request')` whose `field` names the unknown or invalid option. */
export const createRequestLimiter = <Native>(
  options: RateLimitOptions<Native>,
  runtime: Runtime = SERVER,
): RequestLimiter<Native> => {
  const parts = middlewareParts(options, runtime)
  const keyOf = options.key ?? byClientIp()
  const identified = createIdentified<Native>(options.key)
  const isPassed = createPass(options, parts)
  const chargeOf = createCharge(options)
  const decide = parts.settle === undefined ? createCheck(parts) : createReserve(parts, parts.settle)
  /** Awaits only promises: most requests have none, and each would cost a turn of the microtask queue. */
  const outcome = async (request: RequestFacts<Native>): Promise<RequestOutcome> => {
    const passed = isPassed(request)
    if (isPending(passed) ? await passed : passed) return PASS
    const key = keyOf(request)
    const caller = keyOrAnonymous(isPending(key) ? await key : key)
    const charge = chargeOf(request)
    return decide(caller, identified(request, caller, isPending(charge) ? await charge : charge))
  }
  const outcomeOfFailure = (error: unknown): RequestOutcome => outcomeOfError(error, parts)
  return {
    logger: parts.logger,
    check: (request) => outcome(request).catch(outcomeOfFailure),
    flush: () => flushed(parts),
  }
}

const flushed = async ({ limiter, logger }: MiddlewareParts): Promise<void> => {
  try {
    await limiter.flush()
  } catch (error) {
    logger.warn('flush failed', { reason: String(error) })
  }
}

type Identified<Native> = (
  request: RequestFacts<Native>,
  key: string | number,
  charge: ChargeOptions,
) => ChargeOptions

/**
 * Adds the identity of a token to a charge of its key; another middleware of the same request may have verified the token, and this
 * one may have found another key. Its user is that of policies on users, unless the app names another.
 */
const createIdentified = <Native>(keyOf: RateLimitOptions<Native>['key']): Identified<Native> => {
  const identityOf = identityOfKey(keyOf)
  if (identityOf === undefined) return (_request, _key, charge) => charge
  return ({ native }, key, charge) => {
    const identity = identityOf(native)
    if (identity?.key !== key) return charge
    return { ...(identity.user !== null && { user: identity.user }), ...charge, identity }
  }
}

/** Whether a request is exempt, or bypasses the limiter, which is counted. */
const createPass = <Native>(
  options: RateLimitOptions<Native>,
  { metrics }: MiddlewareParts,
): ((request: RequestFacts<Native>) => boolean | PromiseLike<boolean>) => {
  const isExempt = createExemption(options.exempt)
  const isBypassed = createBypass(options.bypass)
  const counted = (isBypassed: boolean): boolean => {
    if (isBypassed) metrics.count('bypassed')
    return isBypassed
  }
  const bypasses = (request: RequestFacts<Native>): boolean | PromiseLike<boolean> => {
    const bypassed = isBypassed(request)
    return isPending(bypassed) ? bypassed.then(counted) : counted(bypassed)
  }
  return (request) => {
    const exempt = isExempt(request)
    return isPending(exempt) ? exempt.then((is) => is || bypasses(request)) : exempt || bypasses(request)
  }
}

/** Requests without a key share the key `anonymous`. The limiter rejects a key that is neither text nor a number. */
const keyOrAnonymous = (key: string | number | null | undefined): string | number =>
  key === undefined || key === null || key === '' ? 'anonymous' : key

/** Decides about one request of a caller. */
type Decide = (key: string | number, charge: ChargeOptions) => Promise<RequestOutcome>

const createCheck =
  (parts: MiddlewareParts): Decide =>
  async (key, charge) => {
    const decision = await parts.limiter.check(key, charge)
    parts.report?.(String(key), decision)
    const outcome = outcomeOf(parts, decision)
    const held = heldReservation(decision)
    return held === undefined ? outcome : { ...outcome, end: async () => held.release() }
  }

/** The reservation of a request that holds slots of concurrency limits: they are renewed while it is handled. */
const heldReservation = (described: RateLimitDecision): Reservation | undefined => {
  const { decision } = exactDecision(described)
  if (!decision.allowed || decision.reservation.held === undefined) return undefined
  return renewedWhileOpen(decision.reservation)
}

const createReserve =
  (parts: MiddlewareParts, settle: SettleFunction): Decide =>
  async (key, charge) => {
    const reservation = await parts.limiter.reserve(key, charge)
    parts.report?.(String(key), reservation)
    const reserved = { parts, reservation, reserved: charge.cost }
    const held = heldReservation(reservation)
    if (held !== undefined)
      return { ...outcomeOf(parts, reservation), ...settledAtEnd(settle, reserved, held) }
    const finish = async (response: ResponseFacts) =>
      reservation.settle(await usedBy(settle, reserved, response))
    return { ...outcomeOf(parts, reservation), finish }
  }

/** One write settles a reservation and frees its slots, when the response has been sent. */
const settledAtEnd = (
  settle: SettleFunction,
  reserved: Reserved,
  held: Reservation,
): Required<Pick<RequestOutcome, 'finish' | 'end'>> => {
  let used: Cost = {}
  return {
    async finish(response) {
      used = await usedBy(settle, reserved, response)
    },
    end: async () => held.settle(used),
  }
}

const outcomeOf = (parts: MiddlewareParts, described: RateLimitDecision): RequestOutcome => {
  const { isShadow } = parts
  const exact = exactDecision(described)
  const { decision } = exact
  const headers = decisionHeaders(exact, parts)
  if (decision.allowed || isShadow) {
    return { limitHeaders: { headers, denies: false, isShadow, decision } }
  }
  return { limitHeaders: { headers, denies: true, isShadow, decision }, earlyResponse: rejectedBy(decision) }
}

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
  if (error instanceof ZaelError && error.code === 'unavailable')
    return endedEarly(503, { error: error.code, message: error.message }, { 'retry-after': '1' })
  throw error
}

const endedEarly = (
  status: EarlyResponse['status'],
  body: EarlyResponse['body'],
  headers: LimitHeaders['headers'],
): RequestOutcome => ({
  earlyResponse: { status, body },
  limitHeaders: { headers, denies: true, isShadow: false },
})
