import type { Denied, Reservation } from '../../core/deciding/decision.ts'
import type { Cost } from '../../core/limit/meter.ts'
import type { ChatRequest, ChatUsage } from '../../core/ports/chat-backend.ts'
import type { ActingIdentity, AppDependencies, HttpSettings } from '../app-dependencies.ts'
import { rateLimitHeaders } from '../headers/rate-limit-headers.ts'

export interface AdmissionNeeds extends Pick<AppDependencies, 'limiter' | 'backend' | 'clock' | 'logger'> {
  readonly settings: Pick<HttpSettings, 'bypassLimiter' | 'errorFormat'>
}

/** A chat that may go on, with what its answer says of limits, and what is settled when it has ended. */
export interface Admitted {
  readonly allowed: true
  readonly headers: Readonly<Record<string, string>>
  readonly reservation: Reservation
}

export interface Refused {
  readonly allowed: false
  readonly headers: Readonly<Record<string, string>>
  readonly denied: Denied
}

export const costOf = ({ promptTokens, completionTokens }: ChatUsage): Cost => ({
  requests: 1,
  input_tokens: promptTokens,
  output_tokens: completionTokens,
  tokens: promptTokens + completionTokens,
})

const unlimited: Admitted = {
  allowed: true,
  headers: {},
  reservation: { async settle() {}, async release() {} },
}

/** Asks the limiter whether a chat may be answered, for its prompt and the most that its answer may hold. */
export const admit = async (
  { limiter, backend, clock, logger, settings }: AdmissionNeeds,
  acting: ActingIdentity,
  request: ChatRequest,
  promptTokens: number,
): Promise<Admitted | Refused> => {
  if (settings.bypassLimiter) return unlimited
  const decision = await limiter.decide({
    entityId: acting.entityId,
    resource: request.model,
    cost: costOf({ promptTokens, completionTokens: backend.mostCompletionTokens(request) }),
    settles: true,
  })
  if (decision.degraded) {
    const { allowed } = decision
    logger.warn('A decision was made without the store', { entityId: acting.entityId, allowed })
  }
  const headers = rateLimitHeaders(decision, clock.now())
  return decision.allowed
    ? { allowed: true, headers, reservation: decision.reservation }
    : { allowed: false, headers, denied: decision }
}
