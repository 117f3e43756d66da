import type { ReservationService } from '../../core/admin/reservations.ts'
import type { Allowed, Decision, DecisionRequest, Denied, Reservation } from '../../core/decide/decision.ts'
import { settledReservation } from '../../core/decide/reservation.ts'
import { StoreUnavailable } from '../../core/model/errors.ts'
import { DEFAULT_RESOURCE } from '../../core/model/limit-set.ts'
import type { RememberedAnswer } from '../../core/ports/idempotency-store.ts'
import { rateLimitHeaders } from '../../web/rate-limit-headers.ts'
import type { ActingIdentity, AppDependencies, HttpSettings } from '../app-dependencies.ts'
import { problemOf } from '../errors/problem.ts'
import { asksForNothing, type Check } from './asked-checks.ts'
import { allowedJson, deniedJson, undecidedJson } from './check-json.ts'

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
        ? unavailable(decision, format, headers)
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

const unavailable = (
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
