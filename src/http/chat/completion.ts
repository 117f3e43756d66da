import type { Decision, DecisionRequest, Reservation } from '../../core/decide/decision.ts'
import { createUnpricedWatch, type UnpricedWatch } from '../../core/decide/policy-use.ts'
import type { Cost } from '../../core/model/meter.ts'
import { type Model, type Prices, priceOf } from '../../core/model/model.ts'
import type {
  ChatCall,
  ChatRequest,
  ChatResponse,
  ChatStream,
  ChatUsage,
} from '../../core/ports/chat-backend.ts'
import { type Headers, modelRouteHeaders } from '../../web/rate-limit-headers.ts'
import type { ActingIdentity, AppDependencies, HttpSettings } from '../app-dependencies.ts'
import { type Decider, deciderOf, v1DenialResponse } from '../decisions.ts'
import { openAiError } from '../errors/openai-error.ts'
import { problemOf } from '../errors/problem.ts'
import type { Reply } from '../response.ts'
import { type SseSource, sseEvents } from './sse-events.ts'

export interface ChatNeeds
  extends Pick<AppDependencies, 'limiter' | 'backend' | 'tokens' | 'clock' | 'logger'> {
  readonly settings: Pick<HttpSettings, 'bypassLimiter' | 'errorFormat'>
}

/** A chat whose model is registered and allowed. */
export interface Chat {
  readonly acting: ActingIdentity
  /** `model` is the model's id. */
  readonly request: ChatRequest
  readonly model: Model
  /** OpenAI's `user`, or the X-User-Id header. */
  readonly user: string | undefined
  readonly requestId: string
  /** Aborts when the client disconnects. Created on demand, which few chats do: it takes longer than a decision. */
  readonly signal: () => AbortSignal
}

interface CountedChat extends Chat {
  readonly promptTokens: number
}

/** An allowed chat: its rate-limit headers, and its reservation, to be settled at the end. */
interface Reserved {
  readonly headers: Headers
  readonly reservation: Reservation
}

/**
 * The charge stays as reserved. A model generates its whole response, and its provider bills it, whether or not the caller
 * waits. If disconnecting refunded the estimate, no limit would apply to callers who never wait.
 */
const THE_ESTIMATE: Cost = {}

/** Completes a chat: counts the prompt, reserves the estimate, calls the backend, settles the actual usage. */
export const createChatCompletion = (needs: ChatNeeds): ((chat: Chat) => Promise<Reply>) => {
  const { backend, tokens, clock, logger, settings } = needs
  const reserving = { backend, decider: deciderOf(needs), unpriced: createUnpricedWatch(logger) }
  return async (chat) => {
    const counted: CountedChat = { ...chat, promptTokens: await tokens.countPrompt(chat.request) }
    const decision = await reserve(reserving, counted)
    const limitHeaders = modelRouteHeaders(decision, clock.now())
    if (!decision.allowed) {
      const subject = { model: chat.model.id, organization: chat.acting.organization }
      return v1DenialResponse(decision, subject, limitHeaders, settings.errorFormat)
    }
    const { reservation } = decision
    try {
      return await complete(needs, { reservation, headers: limitHeaders }, counted)
    } catch (error) {
      if (!chat.signal().aborted) {
        await reservation.release()
        throw error
      }
      await reservation.settle(THE_ESTIMATE)
      return undefined
    }
  }
}

interface ReservingNeeds extends Pick<AppDependencies, 'backend'> {
  readonly decider: Decider
  readonly unpriced: UnpricedWatch
}

/** Decides on the prompt and on the most tokens that the response may contain. */
const reserve = async (
  { decider, backend, unpriced }: ReservingNeeds,
  { acting, request, model, promptTokens, user }: CountedChat,
): Promise<Decision> => {
  const most: ChatUsage = { promptTokens, completionTokens: backend.mostCompletionTokens(request) }
  const wanted: { -readonly [K in keyof DecisionRequest]: DecisionRequest[K] } = {
    entityId: acting.entityId,
    resource: model.id,
    cost: costOf(most, model.prices),
    settles: true,
  }
  if (user !== undefined) wanted.user = user
  const decision = await decider.decide(wanted)
  unpriced(model, decision)
  return decision
}

/** The cost of a chat per meter; without prices, it has no cost in money. */
const costOf = (usage: ChatUsage, prices: Prices | null): Cost => {
  const { promptTokens, completionTokens } = usage
  const cost: { -readonly [M in keyof Cost]: Cost[M] } = {
    requests: 1,
    input_tokens: promptTokens,
    output_tokens: completionTokens,
    tokens: promptTokens + completionTokens,
  }
  if (prices !== null) cost.cost_usd_micros = priceOf(prices, pricedTokens(usage))
  return cost
}

const pricedTokens = ({ promptTokens, completionTokens, cachedPromptTokens = 0 }: ChatUsage) => ({
  input: promptTokens,
  output: completionTokens,
  cachedInput: cachedPromptTokens,
})

const complete = async (
  { backend, logger }: ChatNeeds,
  reserved: Reserved,
  chat: CountedChat,
): Promise<Reply> => {
  if (chat.request.stream !== true) return wholeReply(await backend.complete(callOf(chat)), reserved, chat)
  const { model, requestId, signal } = chat
  const stop = new AbortController()
  const gone = signal()
  const result = await backend.stream(callOf({ ...chat, signal: () => AbortSignal.any([gone, stop.signal]) }))
  if (!('chunks' in result)) return wholeReply(result, reserved, chat)
  return streamedReply(result, reserved, {
    prices: model.prices,
    gone,
    abandon: () => stop.abort(),
    errorBody: (error) => {
      // a client that disconnects aborts the upstream's stream itself
      if (!gone.aborted)
        logger.warn('chat interrupted after its first byte', { requestId, error: String(error) })
      return openAiError(problemOf(error))
    },
  })
}

const callOf = (chat: CountedChat): ChatCall => new Call(chat)

/** A class, because creating an object with a getter and a closure takes as long as the whole decision. */
class Call implements ChatCall {
  readonly request: ChatRequest
  readonly promptTokens: number
  readonly requestId: string
  readonly #createSignal: () => AbortSignal
  #signal: AbortSignal | undefined

  constructor({ request, promptTokens, requestId, signal }: CountedChat) {
    this.request = request
    this.promptTokens = promptTokens
    this.requestId = requestId
    this.#createSignal = signal
  }

  get signal(): AbortSignal {
    this.#signal ??= this.#createSignal()
    return this.#signal
  }
}

/** An error of the upstream is not charged. It has no rate-limit headers, as they would describe the limits with the charge. */
const wholeReply = async (
  { status, body, usage, headers: own }: ChatResponse,
  { reservation, headers }: Reserved,
  { promptTokens, model }: CountedChat,
): Promise<Reply> => {
  if (status >= 400) {
    await reservation.release()
    return { status, headers: { ...own }, body }
  }
  const used: ChatUsage = usage ?? { promptTokens, completionTokens: 0 }
  await reservation.settle(costOf(used, model.prices))
  return { status, headers: own === undefined ? headers : { ...headers, ...own }, body }
}

const SSE_HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache',
  // proxies that buffer would delay the chunks
  'x-accel-buffering': 'no',
}

interface Streaming extends Pick<SseSource, 'abandon' | 'errorBody'> {
  readonly prices: Model['prices']
  readonly gone: AbortSignal
}

/**
 * At the end of the stream, after an error and when the reader disconnects, the usage counted so far is settled; without any
 * output, the estimate.
 */
const streamedReply = (
  { chunks, usage }: ChatStream,
  { reservation, headers }: Reserved,
  { gone, abandon, errorBody, prices }: Streaming,
): Reply => {
  const settle = () => {
    const used = usage()
    return reservation.settle(used === undefined ? THE_ESTIMATE : costOf(used, prices))
  }
  gone.addEventListener('abort', () => void settle(), { once: true })
  return {
    status: 200,
    headers: { ...headers, ...SSE_HEADERS },
    events: sseEvents({ chunks, settle, abandon, errorBody }),
  }
}
