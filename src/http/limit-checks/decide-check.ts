import { type ReservationService, reservationEnd } from '../../core/admin/reservations.ts'
import type { BucketId } from '../../core/bucket/bucket-store.ts'
import type { StoredReservation } from '../../core/charge/reservation-store.ts'
import type {
  Allowed,
  Decision,
  DecisionRequest,
  Denied,
  LimitState,
  Reservation,
} from '../../core/decide/decision.ts'
import { epochSeconds } from '../../core/model/json.ts'
import type { Limit } from '../../core/model/limit.ts'
import { DEFAULT_RESOURCE } from '../../core/model/limit-set.ts'
import type { KeptResponse } from '../../core/ports/idempotency-store.ts'
import type { Clock } from '../../core/ports/platform.ts'
import { type Eventual, whenReady } from '../../core/ports/when-ready.ts'
import { secondsOf } from '../../web/denial-json.ts'
import { rateLimitHeaders } from '../../web/rate-limit-headers.ts'
import type { ActingIdentity, HttpSettings } from '../app-dependencies.ts'
import { type Decider, type DenialBody, decisionOf, v1DenialResponse } from '../decisions.ts'
import { v1Error } from '../errors/openai-error.ts'
import type { Problem } from '../errors/problem.ts'
import type { BytesReply, JsonReply } from '../response.ts'
import { hasNoCost, type LimitCheck } from './check-request.ts'

/** A decided check, to be completed by `confirm` or `undo`. */
export interface DecidedCheck {
  /** 200 or 429; 503 if a limit with `on_unavailable: deny` cannot be checked. */
  readonly response: KeptResponse
  /** The charge; undefined: nothing was charged. */
  readonly reservation: Reservation | undefined
  /** Whether it is kept for a later settlement. */
  readonly isHeld: boolean
}

/** Call it when the response is sent: the charge is final, unless it is held. */
export const confirm = async ({ reservation, isHeld }: DecidedCheck): Promise<void> => {
  if (!isHeld) await reservation?.settle({})
}

/** Refunds the charge if the response is not sent. A held reservation stays stored until it expires; its id is never sent. */
export const undo = async ({ reservation }: DecidedCheck): Promise<void> => reservation?.release()

export interface DecideCheckNeeds {
  readonly decider: Decider
  readonly settings: Pick<HttpSettings, 'errorFormat'>
  readonly clock: Clock
  readonly reservationService: ReservationService
}

/** `canUndo`: the charge can be refunded until it is confirmed. */
export type DecideCheck = (
  acting: ActingIdentity,
  check: LimitCheck,
  options: { readonly canUndo: boolean },
) => Eventual<DecidedCheck>

/** Throws, or rejects with, `StoreUnavailable` if the check cannot be decided, or its reservation cannot be stored; then nothing is charged. */
export const createDecideCheck =
  (needs: DecideCheckNeeds): DecideCheck =>
  (acting, check, { canUndo }) =>
    whenReady(decisionOf(needs.decider, requestOf(needs, acting, check, canUndo)), (decision) =>
      decidedCheck(needs, acting, check, decision),
    )

/** The reply to a check whose charge is final, or held. Throws, or rejects, as `DecideCheck`. */
export type ReplyToCheck = (acting: ActingIdentity, check: LimitCheck) => Eventual<JsonReply | BytesReply>

export const createReplyToCheck =
  (needs: DecideCheckNeeds): ReplyToCheck =>
  (acting, check) =>
    whenReady(decisionOf(needs.decider, requestOf(needs, acting, check, false)), (decision) =>
      decision.allowed && !check.reserve
        ? allowedReply(decision)
        : whenReady(decidedCheck(needs, acting, check, decision), ({ response }) => response),
    )

const decidedCheck = (
  { reservationService, settings }: DecideCheckNeeds,
  acting: ActingIdentity,
  check: LimitCheck,
  decision: Decision,
): Eventual<DecidedCheck> => {
  if (!decision.allowed) return deniedCheck(decision, acting, check, settings.errorFormat)
  if (!check.reserve) return allowedCheck(decision, undefined)
  const holding = reservationService.hold(acting.entityId, decision.reservation, check.lifetimeSeconds)
  return holding.then((held) => allowedCheck(decision, held))
}

const allowedCheck = (decision: Allowed, held: StoredReservation | undefined): DecidedCheck => ({
  response: { status: 200, headers: rateLimitHeaders(decision), body: allowedJson(decision, held) },
  reservation: decision.reservation,
  isHeld: held !== undefined,
})

const deniedCheck = (
  decision: Denied,
  { organization }: ActingIdentity,
  { resource = DEFAULT_RESOURCE }: LimitCheck,
  format: HttpSettings['errorFormat'],
): DecidedCheck => {
  const subject = { model: resource, organization }
  const denial = v1DenialResponse(decision, subject, rateLimitHeaders(decision), format)
  return {
    response: { ...denial, body: deniedJson(decision, denial.body) },
    reservation: undefined,
    isHeld: false,
  }
}

/** Predicts whether a check charges nothing, before it is decided. */
export const createForesight =
  (needs: Pick<DecideCheckNeeds, 'decider' | 'clock'>) =>
  (acting: ActingIdentity, check: LimitCheck): boolean =>
    hasNoCost(check) || needs.decider.foreseesDenial(requestOf(needs, acting, check, true))

/** Only a reservation holds slots, as long as it lives; any other check looks for a free one. */
const requestOf = (
  { clock }: Pick<DecideCheckNeeds, 'clock'>,
  { entityId, token }: ActingIdentity,
  { resource, cost, user, session, context, dryRun, reserve, lifetimeSeconds }: LimitCheck,
  canUndo: boolean,
): DecisionRequest => {
  const request: { -readonly [K in keyof DecisionRequest]: DecisionRequest[K] } = {
    entityId,
    cost,
    dryRun,
    settles: reserve || canUndo,
  }
  if (reserve) request.slotsUntil = reservationEnd(clock.now(), lifetimeSeconds)
  else if (canUndo) request.holds = false
  if (token !== undefined) request.entity = token.entity
  if (resource !== undefined) request.resource = resource
  if (user !== undefined) request.user = user
  if (session !== undefined) request.session = session
  if (context !== undefined) request.context = context
  return request
}

/** An allowed check. A held reservation has its id and the second until which it can be settled. */
const allowedJson = ({ degraded, limits }: Allowed, held: StoredReservation | undefined) => ({
  allowed: true,
  degraded,
  retry_after_seconds: 0,
  limits: limits.map(limitStateJson),
  violations: [],
  ...(held !== undefined && { reservation_id: held.id, expires_at: epochSeconds(held.expiresAt) }),
})

const allowedReply = (decision: Allowed): BytesReply => {
  const headers = rateLimitHeaders(decision)
  headers['content-type'] = 'application/json'
  return { status: 200, headers, bytes: allowedText(decision) }
}

/** The same as text, for a check whose charge is not held. To create and convert the values would take longer than the decision. */
const allowedText = ({ degraded, limits }: Allowed): string => {
  let states = ''
  for (const state of limits) states += states === '' ? limitStateText(state) : `,${limitStateText(state)}`
  return `{"allowed":true,"degraded":${degraded},"retry_after_seconds":0,"limits":[${states}],"violations":[]}`
}

const limitStateText = (state: LimitState): string => {
  const { capacity, available, used, resetNs } = state
  const { before, after } = fixedTexts(state)
  return `${before}"capacity":${capacity},"available":${available},"used":${used},"reset_after_seconds":${secondsOf(resetNs)}${after}`
}

/** The parts of a limit's JSON that are the same in every response. */
interface FixedTexts {
  readonly before: string
  readonly after: string
}

/** By the id of the bucket, for as long as its configuration is cached. */
const cachedTexts = new WeakMap<BucketId, Map<Limit, FixedTexts>>()

const fixedTexts = (state: LimitState): FixedTexts => {
  const cached = cachedTexts.get(state.bucket)?.get(state.limit)
  if (cached !== undefined) return cached
  const { entity_id, resource, limit_name, algorithm, source } = limitStateJson(state)
  const before = `${JSON.stringify({ entity_id, resource, limit_name, algorithm }).slice(0, -1)},`
  const texts = { before, after: `,${JSON.stringify({ source }).slice(1)}` }
  const ofBucket = cachedTexts.get(state.bucket) ?? new Map<Limit, FixedTexts>()
  cachedTexts.set(state.bucket, ofBucket.set(state.limit, texts))
  return texts
}

/** A denied check: the fields of the error and of a decision. */
const deniedJson = ({ degraded, limits, unavailable }: Denied, error: DenialBody) => ({
  ...error,
  ...(unavailable && UNDECIDED),
  allowed: false,
  degraded,
  limits: limits.map(limitStateJson),
})

/** `retry_after_seconds` equals the header `retry-after`. */
const UNDECIDED = { retry_after_seconds: 1, violations: [] }

/** A check of a list that failed before it was decided. */
export const failedJson = (problem: Problem, format: HttpSettings['errorFormat']) => ({
  ...v1Error(problem, format),
  retry_after_seconds: null,
  violations: [],
  ...(problem.status === 503 && UNDECIDED),
  allowed: false,
  degraded: problem.status === 503,
  limits: [],
})

/** The state of a limit in a check. */
export const limitStateJson = (state: LimitState) => ({
  entity_id: state.entityId,
  resource: state.resource,
  limit_name: state.limit.name,
  algorithm: state.limit.size.algorithm,
  capacity: state.capacity,
  available: state.available,
  used: state.used,
  reset_after_seconds: secondsOf(state.resetNs),
  source: state.source,
})
