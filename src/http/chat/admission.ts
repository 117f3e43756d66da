import type { Denied, Reservation } from '../../core/decide/decision.ts'
import type { UnpricedWatch } from '../../core/decide/policy-use.ts'
import { settledReservation } from '../../core/decide/reservation.ts'
import type { Cost } from '../../core/model/meter.ts'
import { type Model, type Prices, priceOf } from '../../core/model/model.ts'
import type { ChatRequest, ChatUsage } from '../../core/ports/chat-backend.ts'
import { type Headers, rateLimitHeaders } from '../../web/rate-limit-headers.ts'
import type { ActingIdentity, AppDependencies, HttpSettings } from '../app-dependencies.ts'

export interface AdmissionNeeds extends Pick<AppDependencies, 'limiter' | 'backend' | 'clock' | 'logger'> {
  readonly settings: Pick<HttpSettings, 'bypassLimiter' | 'errorFormat'>
}

/** A chat that may go on, with what its answer says of limits, and what is settled when it has ended. */
export interface Admitted {
  readonly allowed: true
  readonly headers: Headers
  readonly reservation: Reservation
}

export interface Refused {
  readonly allowed: false
  readonly headers: Headers
  readonly denied: Denied
}

/** What a chat costs in every meter; of a model without prices nothing is known of the money. */
export const costOf = (usage: ChatUsage, prices: Prices | null): Cost => {
  const { promptTokens, completionTokens } = usage
  return {
    requests: 1,
    input_tokens: promptTokens,
    output_tokens: completionTokens,
    tokens: promptTokens + completionTokens,
    ...(prices && { cost_usd_micros: priceOf(prices, pricedTokens(usage)) }),
  }
}

const pricedTokens = ({ promptTokens, completionTokens, cachedPromptTokens = 0 }: ChatUsage) => ({
  input: promptTokens,
  output: completionTokens,
  cachedInput: cachedPromptTokens,
})

/** What a chat asks admission for. */
export interface Admission {
  readonly acting: ActingIdentity
  readonly request: ChatRequest
  readonly model: Model
  readonly promptTokens: number
  /** Who asks, as the client says. */
  readonly user: string | undefined
}

/** Asks the limiter whether a chat may be answered, for its prompt and the most that its answer may hold. */
export const admit = async (
  { limiter, backend, clock, settings, unpriced }: AdmissionNeeds & { readonly unpriced: UnpricedWatch },
  { acting, request, model, promptTokens, user }: Admission,
): Promise<Admitted | Refused> => {
  if (settings.bypassLimiter) return { allowed: true, headers: {}, reservation: settledReservation }
  const most: ChatUsage = { promptTokens, completionTokens: backend.mostCompletionTokens(request) }
  const decision = await limiter.decide({
    entityId: acting.entityId,
    resource: request.model,
    ...(user !== undefined && { user }),
    cost: costOf(most, model.prices),
    settles: true,
  })
  unpriced(model, decision)
  const headers = rateLimitHeaders(decision, clock.now())
  return decision.allowed
    ? { allowed: true, headers, reservation: decision.reservation }
    : { allowed: false, headers, denied: decision }
}
