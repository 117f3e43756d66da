import type { AllowedContext, AuthorizerContext, DeniedContext } from '../../contract/authorizer.ts'
import type { StoredReservation } from '../../core/charge/reservation-store.ts'
import type { Allowed, Denied } from '../../core/decide/decision.ts'
import { denialFields } from '../../web/denial-json.ts'
import { DEGRADED, type Headers, rateLimitHeaders } from '../../web/rate-limit-headers.ts'
import { longestWait } from '../errors/openai-error.ts'

/** `held`: the stored reservation; undefined if there is none to settle. */
export const allowedContext = (
  entityId: string,
  decision: Allowed,
  held: StoredReservation | undefined,
): AllowedContext => ({
  ...describedBy(entityId, rateLimitHeaders(decision)),
  ...(held !== undefined && { reservationId: held.id }),
})

export const deniedContext = (entityId: string, denied: Denied): DeniedContext => {
  const headers = rateLimitHeaders(denied)
  const { message, retry_after_seconds } = denialFields(denied)
  const { state, requested } = longestWait(denied)
  return {
    ...describedBy(entityId, headers),
    ...retryOf(headers),
    message,
    retryAfterSeconds: String(retry_after_seconds),
    limitName: state.limit.name,
    limitEntity: state.entityId,
    limitResource: state.resource,
    available: String(state.available),
    requested: String(requested),
    capacity: String(state.capacity),
  }
}

const describedBy = (entityId: string, headers: Headers): AuthorizerContext => {
  const { ratelimit, 'ratelimit-policy': policy, [DEGRADED]: degraded } = headers
  return {
    entityId,
    ...(ratelimit !== undefined && { rateLimit: ratelimit }),
    ...(policy !== undefined && { rateLimitPolicy: policy }),
    ...(degraded !== undefined && { degraded }),
  }
}

const retryOf = (headers: Headers): Pick<DeniedContext, 'retryAfter' | 'retryAfterMs' | 'shouldRetry'> => {
  const { 'retry-after': seconds, 'retry-after-ms': ms, 'x-should-retry': shouldRetry } = headers
  return {
    ...(seconds !== undefined && { retryAfter: seconds }),
    ...(ms !== undefined && { retryAfterMs: ms }),
    ...(shouldRetry !== undefined && { shouldRetry }),
  }
}
