import type { StoredReservation } from '../../core/charge/reservation-store.ts'
import type { Allowed, Denied, LimitState } from '../../core/decide/decision.ts'
import { epochSeconds } from '../../core/model/json.ts'
import { secondsOf } from '../../web/denial-json.ts'
import type { HttpSettings } from '../app-dependencies.ts'
import type { DeniedSubject } from '../chat/denial-message.ts'
import { v1Denial, v1Error } from '../chat/openai-error.ts'
import type { Problem } from '../errors/problem.ts'

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
