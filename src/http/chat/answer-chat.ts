import { createUnpricedWatch } from '../../core/decide/policy-use.ts'
import { StoreUnavailable } from '../../core/model/errors.ts'
import type { Cost } from '../../core/model/meter.ts'
import type { Model } from '../../core/model/model.ts'
import type {
  ChatAnswer,
  ChatCall,
  ChatRequest,
  ChatStream,
  ChatUsage,
} from '../../core/ports/chat-backend.ts'
import { degradedField } from '../../web/denial-json.ts'
import { type Answering, answerJson } from '../answering/answering.ts'
import type { ActingIdentity, AppDependencies } from '../app-dependencies.ts'
import { CLIENT_CLOSED_REQUEST, problemOf } from '../errors/problem.ts'
import { type AdmissionNeeds, type Admitted, admit, costOf, type Refused } from './admission.ts'
import { openAiError, v1Denial, v1Error } from './openai-error.ts'
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
