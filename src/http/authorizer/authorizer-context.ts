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
    message: shortened(message),
    retryAfterSeconds: String(retry_after_seconds),
    limitName: state.limit.name,
    limitEntity: state.entityId,
    limitResource: state.resource,
    available: String(state.available),
    requested: String(requested),
    capacity: String(state.capacity),
  }
}

/** API Gateway accepts at most 8 KB of an authorizer, and a request may exceed the limits of many parents and policies. */
const [LONGEST_HEADERS, LONGEST_MESSAGE] = [3072, 1024]

/** Ends after the name of a limit. */
const shortened = (message: string): string =>
  message.length <= LONGEST_MESSAGE
    ? message
    : `${message.slice(0, message.lastIndexOf(', ', LONGEST_MESSAGE))} and others`

const describedBy = (entityId: string, headers: Headers): AuthorizerContext => {
  const { ratelimit, 'ratelimit-policy': policy, [DEGRADED]: degraded } = headers
  const isShort = (ratelimit?.length ?? 0) + (policy?.length ?? 0) <= LONGEST_HEADERS
  return {
    entityId,
    ...(isShort && ratelimit !== undefined && { rateLimit: ratelimit }),
    ...(isShort && policy !== undefined && { rateLimitPolicy: policy }),
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
