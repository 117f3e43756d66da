import type { Denied, Reservation } from '../../core/decide/decision.ts'
import { createUnpricedWatch, type UnpricedWatch } from '../../core/decide/policy-use.ts'
import { settledReservation } from '../../core/decide/reservation.ts'
import { StoreUnavailable } from '../../core/model/errors.ts'
import type { Cost } from '../../core/model/meter.ts'
import { type Model, type Prices, priceOf } from '../../core/model/model.ts'
import type {
  ChatAnswer,
  ChatCall,
  ChatRequest,
  ChatStream,
  ChatUsage,
} from '../../core/ports/chat-backend.ts'
import { degradedField } from '../../web/denial-json.ts'
import { type Headers, rateLimitHeaders } from '../../web/rate-limit-headers.ts'
import type { ActingIdentity, AppDependencies, HttpSettings } from '../app-dependencies.ts'
import { openAiError, v1Denial, v1Error } from '../errors/openai-error.ts'
import { CLIENT_CLOSED_REQUEST, problemOf } from '../errors/problem.ts'
import { type Answering, answerJson } from '../response.ts'
import { type SseSource, sseBody } from './sse-body.ts'

/** What chats stand on. */
export type ChatNeeds = AdmissionNeeds & Pick<AppDependencies, 'tokens'>

/** A chat whose model is known and allowed. */
export interface Chat {
  readonly acting: ActingIdentity
  /** `model` is the model's id. */
  readonly request: ChatRequest
  readonly model: Model
  /** OpenAI's `user`, or who the caller says it is. */
  readonly user: string | undefined
  readonly requestId: string
  readonly answering: Answering
  /** Aborts where the client goes away. Made when asked for, which few chats do: it takes longer than to decide. */
  readonly signal: () => AbortSignal
}

/**
 * Everything stays charged as it was reserved. A model generates its whole answer, and its provider bills it, whether or not
 * the caller waits. If hanging up returned the estimate, no limit would apply to callers who never wait.
 */
const THE_ESTIMATE: Cost = {}

/** Answers chats: counts the prompt, charges the estimate, asks the backend, settles what was really used. */
export const createChatAnswerer = (deps: ChatNeeds): ((chat: Chat) => Promise<Response>) => {
  const needs = { ...deps, unpriced: createUnpricedWatch(deps.logger) }
  return async (chat) => {
    const promptTokens = await deps.tokens.countPrompt(chat.request)
    const counted: CountedChat = { ...chat, promptTokens }
    const admission = await admit(needs, counted)
    if (!admission.allowed) return refusal(deps, admission, chat)
    try {
      return await answered(deps, admission, counted)
    } catch (error) {
      if (!chat.signal().aborted) {
        await admission.reservation.release()
        throw error
      }
      await admission.reservation.settle(THE_ESTIMATE)
      return new Response(null, { status: CLIENT_CLOSED_REQUEST })
    }
  }
}

interface CountedChat extends Chat {
  readonly promptTokens: number
}

const refusal = (
  { settings }: ChatNeeds,
  { denied, headers }: Refused,
  { acting, request, answering }: Chat,
): Response => {
  if (denied.unavailable) {
    const problem = problemOf(new StoreUnavailable('A limit cannot be checked', { mayHaveApplied: false }))
    const body = { ...v1Error(problem, settings.errorFormat), ...degradedField(denied) }
    return answerJson(answering, body, 503, { ...headers, ...problem.headers })
  }
  const subject = { model: request.model, organization: acting.organization }
  return answerJson(answering, v1Denial(denied, subject, settings.errorFormat), 429, headers)
}

const answered = async (
  { backend, logger }: ChatNeeds,
  admitted: Admitted,
  chat: CountedChat,
): Promise<Response> => {
  if (chat.request.stream !== true) return whole(await backend.complete(callOf(chat)), admitted, chat)
  const { model, requestId, signal } = chat
  const stop = new AbortController()
  const gone = signal()
  const answer = await backend.stream(callOf({ ...chat, signal: () => AbortSignal.any([gone, stop.signal]) }))
  if (!('chunks' in answer)) return whole(answer, admitted, chat)
  return streamed(answer, admitted, {
    prices: model.prices,
    gone,
    abandon: () => stop.abort(),
    errorBody: (error) => {
      logger.warn('A chat broke off after its first byte', { requestId, error: String(error) })
      return openAiError(problemOf(error))
    },
  })
}

const callOf = ({ request, promptTokens, requestId, signal }: CountedChat): ChatCall => {
  let made: AbortSignal | undefined
  return {
    request,
    promptTokens,
    requestId,
    get signal() {
      made ??= signal()
      return made
    },
  }
}

const SSE_HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache',
  // Proxies that buffer would hold the chunks back.
  'x-accel-buffering': 'no',
}

/** An upstream that failed has used nothing, so nothing is charged, and the limits as they were charged are not said. */
const whole = async (
  { status, body, usage, headers: own }: ChatAnswer,
  { reservation, headers }: Admitted,
  { answering, promptTokens, model }: CountedChat,
): Promise<Response> => {
  if (status >= 400) {
    await reservation.release()
    return answerJson(answering, body, status, { ...own })
  }
  const used: ChatUsage = usage ?? { promptTokens, completionTokens: 0 }
  await reservation.settle(costOf(used, model.prices))
  return answerJson(answering, body, status, own === undefined ? headers : { ...headers, ...own })
}

interface Streaming extends Pick<SseSource, 'abandon' | 'errorBody'> {
  readonly prices: Model['prices']
  readonly gone: AbortSignal
}

/**
 * Whether the stream ends, breaks off or loses its reader: what was counted until then is settled, or the estimate where no
 * output has come.
 */
const streamed = (
  { chunks, usage }: ChatStream,
  { reservation, headers }: Admitted,
  { gone, abandon, errorBody, prices }: Streaming,
): Response => {
  const settle = () => {
    const used = usage()
    return reservation.settle(used === undefined ? THE_ESTIMATE : costOf(used, prices))
  }
  gone.addEventListener('abort', () => void settle(), { once: true })
  return new Response(sseBody({ chunks, settle, abandon, errorBody }), {
    headers: { ...headers, ...SSE_HEADERS },
  })
}

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
