import type { ReservationService } from '../../core/admin/reservations.ts'
import type { StoredReservation } from '../../core/charge/reservation-store.ts'
import type { Allowed, DecisionRequest, Denied, LimitState, Reservation } from '../../core/decide/decision.ts'
import { epochSeconds } from '../../core/model/json.ts'
import { DEFAULT_RESOURCE } from '../../core/model/limit-set.ts'
import type { KeptResponse } from '../../core/ports/idempotency-store.ts'
import { secondsOf } from '../../web/denial-json.ts'
import { rateLimitHeaders } from '../../web/rate-limit-headers.ts'
import type { ActingIdentity, HttpSettings } from '../app-dependencies.ts'
import { type Decider, type DenialBody, decisionOf, v1DenialResponse } from '../decisions.ts'
import { v1Error } from '../errors/openai-error.ts'
import type { Problem } from '../errors/problem.ts'
import { type Eventual, whenReady } from '../when-ready.ts'
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
    whenReady(decisionOf(needs.decider, requestOf(acting, check, canUndo)), (decision) => {
      if (!decision.allowed) return deniedCheck(decision, acting, check, needs.settings.errorFormat)
      if (!check.reserve) return allowedCheck(decision, undefined)
      const { reservation } = decision
      const holding = needs.reservationService.hold(acting.entityId, reservation, check.lifetimeSeconds)
      return holding.then((held) => allowedCheck(decision, held))
    })

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
  ({ decider }: Pick<DecideCheckNeeds, 'decider'>) =>
  (acting: ActingIdentity, check: LimitCheck): boolean =>
    hasNoCost(check) || decider.foreseesDenial(requestOf(acting, check, true))

const requestOf = (
  { entityId }: ActingIdentity,
  { resource, cost, user, context, dryRun, reserve }: LimitCheck,
  canUndo: boolean,
): DecisionRequest => {
  const request: { -readonly [K in keyof DecisionRequest]: DecisionRequest[K] } = {
    entityId,
    cost,
    dryRun,
    settles: reserve || canUndo,
  }
  if (resource !== undefined) request.resource = resource
  if (user !== undefined) request.user = user
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

const limitStateJson = (state: LimitState) => ({
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
