import type { ReservationService } from '../../core/admin/reservations.ts'
import type { StoredReservation } from '../../core/charge/reservation-store.ts'
import type {
  Allowed,
  Decision,
  DecisionRequest,
  Denied,
  LimitState,
  Reservation,
} from '../../core/decide/decision.ts'
import { settledReservation } from '../../core/decide/reservation.ts'
import { StoreUnavailable } from '../../core/model/errors.ts'
import { epochSeconds } from '../../core/model/json.ts'
import { DEFAULT_RESOURCE } from '../../core/model/limit-set.ts'
import type { RememberedAnswer } from '../../core/ports/idempotency-store.ts'
import { secondsOf } from '../../web/denial-json.ts'
import { rateLimitHeaders } from '../../web/rate-limit-headers.ts'
import type { ActingIdentity, AppDependencies, HttpSettings } from '../app-dependencies.ts'
import { type DeniedSubject, v1Denial, v1Error } from '../errors/openai-error.ts'
import { type Problem, problemOf } from '../errors/problem.ts'
import { asksForNothing, type Check } from './check-request.ts'

/** A check that has been decided, and what is still to be done about it: `confirm` or `undo`. */
export interface Checked {
  /** 200 or 429; 503 where a limit that says deny cannot be checked. */
  readonly answer: RememberedAnswer
  /** What was charged; undefined: nothing. */
  readonly reservation: Reservation | undefined
  /** Whether it is kept for a settlement to come. */
  readonly isHeld: boolean
}

/** The answer stands: what was charged is used, unless it is reserved. */
export const confirm = async ({ reservation, isHeld }: Checked): Promise<void> => {
  if (!isHeld) await reservation?.settle({})
}

/** The answer is given to nobody: what was charged comes back. What is held stays open in the store, under an id that nobody is told. */
export const undo = async ({ reservation }: Checked): Promise<void> => reservation?.release()

export interface CheckerNeeds extends Pick<AppDependencies, 'limiter' | 'clock'> {
  readonly settings: Pick<HttpSettings, 'bypassLimiter' | 'errorFormat'>
  readonly reservationService: ReservationService
}

/** `canUndo`: what is charged can still be given back, until it is confirmed. */
export type Checker = (
  acting: ActingIdentity,
  check: Check,
  options: { readonly canUndo: boolean },
) => Promise<Checked>

/** Throws `StoreUnavailable` where nothing can be decided, or what was charged cannot be kept; then nothing is charged. */
export const createChecker =
  (needs: CheckerNeeds): Checker =>
  async (acting, check, { canUndo }) => {
    const decision = await decided(needs, requestOf(acting, check, canUndo))
    const headers = rateLimitHeaders(decision, needs.clock.now())
    if (!decision.allowed) {
      const subject = { model: check.resource ?? DEFAULT_RESOURCE, organization: acting.organization }
      const format = needs.settings.errorFormat
      const answer = decision.unavailable
        ? unavailableAnswer(decision, format, headers)
        : { status: 429, headers, body: deniedJson(decision, subject, format) }
      return { answer, reservation: undefined, isHeld: false }
    }
    const { reservation } = decision
    const held = check.reserve
      ? await needs.reservationService.hold(acting.entityId, reservation, check.lifetimeSeconds)
      : undefined
    const answer = { status: 200, headers, body: allowedJson(decision, held) }
    return { answer, reservation, isHeld: held !== undefined }
  }

/** Whether a check charges nothing, as far as is known before it is decided. */
export const createForesight =
  ({ limiter, settings }: Pick<CheckerNeeds, 'limiter' | 'settings'>) =>
  (acting: ActingIdentity, check: Check): boolean =>
    asksForNothing(check) ||
    (!settings.bypassLimiter && limiter.foreseesDenial(requestOf(acting, check, true)))

const requestOf = (
  { entityId }: ActingIdentity,
  { resource, cost, user, context, dryRun, reserve }: Check,
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

const UNASKED: Allowed = {
  allowed: true,
  degraded: false,
  limits: [],
  reported: [],
  reservation: settledReservation,
}

const decided = async ({ limiter, settings }: CheckerNeeds, request: DecisionRequest): Promise<Decision> =>
  settings.bypassLimiter ? UNASKED : limiter.decide(request)

const unavailableAnswer = (
  { limits }: Denied,
  format: HttpSettings['errorFormat'],
  headers: Readonly<Record<string, string>>,
): RememberedAnswer => {
  const problem = problemOf(new StoreUnavailable('A limit cannot be checked', { mayHaveApplied: false }))
  return {
    status: problem.status,
    headers: { ...headers, ...problem.headers },
    body: undecidedJson(problem, format, limits),
  }
}

/** A check that passes. What is held is named with the second up to which it can be settled. */
export const allowedJson = ({ degraded, limits }: Allowed, held: StoredReservation | undefined) => ({
  allowed: true,
  degraded,
  retry_after_seconds: 0,
  limits: limits.map(limitStateJson),
  violations: [],
  ...(held !== undefined && { reservation_id: held.id, expires_at: epochSeconds(held.expiresAt) }),
})

type ErrorFormat = HttpSettings['errorFormat']

/** A check that does not pass: the fields of a 429 and of a decision. */
export const deniedJson = (denied: Denied, subject: DeniedSubject, format: ErrorFormat) => ({
  ...v1Denial(denied, subject, format),
  allowed: false,
  degraded: denied.degraded,
  limits: denied.limits.map(limitStateJson),
})

/** When a store that was away is asked again, seconds: as `retry-after` says. */
const ASKED_AGAIN_SECONDS = 1

/** A check of a list that could not be decided. */
export const undecidedJson = (problem: Problem, format: ErrorFormat, limits: readonly LimitState[] = []) => ({
  ...v1Error(problem, format),
  allowed: false,
  degraded: problem.status === 503,
  retry_after_seconds: problem.status === 503 ? ASKED_AGAIN_SECONDS : null,
  limits: limits.map(limitStateJson),
  violations: [],
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
