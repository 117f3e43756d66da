import type { ReservationService } from '../../core/admin/reservations.ts'
import type { StoredReservation } from '../../core/charge/reservation-store.ts'
import type { Allowed, DecisionRequest, Denied, LimitState, Reservation } from '../../core/decide/decision.ts'
import { epochSeconds } from '../../core/model/json.ts'
import { DEFAULT_RESOURCE } from '../../core/model/limit-set.ts'
import type { KeptResponse } from '../../core/ports/idempotency-store.ts'
import { secondsOf } from '../../web/denial-json.ts'
import { rateLimitHeaders } from '../../web/rate-limit-headers.ts'
import type { ActingIdentity, AppDependencies, HttpSettings } from '../app-dependencies.ts'
import { type Decider, type DenialBody, v1DenialResponse } from '../decisions.ts'
import { v1Error } from '../errors/openai-error.ts'
import type { Problem } from '../errors/problem.ts'
import { hasNoCost, type LimitCheck } from './check-request.ts'

/** A decided check, to be completed by `confirm` or `undo`. */
export interface DecidedCheck {
  /** 200 or 429; 503 where a limit that denies while the store is unavailable cannot be checked. */
  readonly response: KeptResponse
  /** The charge; undefined: nothing was charged. */
  readonly reservation: Reservation | undefined
  /** Whether it is kept for a settlement to come. */
  readonly isHeld: boolean
}

/** The response is sent: the charge is final, unless it is held. */
export const confirm = async ({ reservation, isHeld }: DecidedCheck): Promise<void> => {
  if (!isHeld) await reservation?.settle({})
}

/** The response is not sent: the charge is refunded. A held reservation stays in the store until it expires; its id is never sent. */
export const undo = async ({ reservation }: DecidedCheck): Promise<void> => reservation?.release()

export interface DecideCheckNeeds extends Pick<AppDependencies, 'clock'> {
  readonly decider: Decider
  readonly settings: Pick<HttpSettings, 'errorFormat'>
  readonly reservationService: ReservationService
}

/** `canUndo`: the charge can be refunded until it is confirmed. */
export type DecideCheck = (
  acting: ActingIdentity,
  check: LimitCheck,
  options: { readonly canUndo: boolean },
) => Promise<DecidedCheck>

/** Throws `StoreUnavailable` where nothing can be decided, or what was charged cannot be kept; then nothing is charged. */
export const createDecideCheck =
  (needs: DecideCheckNeeds): DecideCheck =>
  async (acting, check, { canUndo }) => {
    const decision = await needs.decider.decide(requestOf(acting, check, canUndo))
    const headers = rateLimitHeaders(decision, needs.clock.now())
    if (!decision.allowed) {
      const subject = { model: check.resource ?? DEFAULT_RESOURCE, organization: acting.organization }
      const denial = v1DenialResponse(decision, subject, headers, needs.settings.errorFormat)
      const response = { ...denial, body: deniedJson(decision, denial.body) }
      return { response, reservation: undefined, isHeld: false }
    }
    const { reservation } = decision
    const held = check.reserve
      ? await needs.reservationService.hold(acting.entityId, reservation, check.lifetimeSeconds)
      : undefined
    const response = { status: 200, headers, body: allowedJson(decision, held) }
    return { response, reservation, isHeld: held !== undefined }
  }

/** Whether a check charges nothing, as far as is known before it is decided. */
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

/** A check that passes. What is held is named with the second up to which it can be settled. */
const allowedJson = ({ degraded, limits }: Allowed, held: StoredReservation | undefined) => ({
  allowed: true,
  degraded,
  retry_after_seconds: 0,
  limits: limits.map(limitStateJson),
  violations: [],
  ...(held !== undefined && { reservation_id: held.id, expires_at: epochSeconds(held.expiresAt) }),
})

/** A check that does not pass: the fields of the error and of a decision. */
const deniedJson = ({ degraded, limits, unavailable }: Denied, error: DenialBody) => ({
  ...error,
  ...(unavailable && UNDECIDED),
  allowed: false,
  degraded,
  limits: limits.map(limitStateJson),
})

/** The wait is that of `retry-after`, in seconds. */
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
