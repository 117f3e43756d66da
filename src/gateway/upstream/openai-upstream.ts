import type {
  ChatBackend,
  ChatCall,
  ChatRequest,
  ChatResponse,
  TokenCounter,
} from '../../core/ports/chat-backend.ts'
import type { Logger } from '../../core/ports/platform.ts'
import { abortError, parseUsage } from '../chat-objects.ts'
import { isObject } from '../json-values.ts'
import { mostTokens } from '../request-tokens.ts'
import {
  errorResponse,
  failure,
  TIMED_OUT,
  UNREACHABLE,
  UNREADABLE,
  type UpstreamWatch,
  watchUpstream,
} from './upstream-call.ts'
import { textOf, upstreamStream } from './upstream-stream.ts'

export interface OpenAiUpstreamOptions {
  /** As official clients take it: `https://api.openai.com/v1`. */
  readonly baseUrl: string
  /** null: none is required. The caller's own key is never forwarded. */
  readonly apiKey: string | null
  readonly tokens: Pick<TokenCounter, 'countText'>
  readonly logger: Logger
  /** The longest silence of the upstream, before its first byte and between two chunks, in ms. */
  readonly silenceMs: number
  /** Reserved for each choice of a request without a bound; the actual use is settled. */
  readonly assumedTokens?: number
  readonly fetch?: typeof fetch
}

const ASSUMED_TOKENS = 1024

type Send = (call: ChatCall, body: ChatRequest, watch: UpstreamWatch) => Promise<Response>

/** An OpenAI-compatible API as the backend of chats. */
export const createOpenAiUpstream = (options: OpenAiUpstreamOptions): ChatBackend => {
  const { tokens, silenceMs } = options
  const send = createSend(options)
  const assumed = options.assumedTokens ?? ASSUMED_TOKENS
  return {
    mostCompletionTokens: (request) => mostTokens(request, assumed),
    complete(call) {
      const watch = watchUpstream(call.signal, silenceMs)
      return orFailure(call, watch, options.logger, async () => {
        const { stream_options: _, ...request } = call.request
        const response = await send(call, { ...request, stream: false }, watch)
        return wholeResponse(call, response, tokens)
      }).finally(watch.end)
    },
    async stream(call) {
      const watch = watchUpstream(call.signal, silenceMs)
      const result = await orFailure(call, watch, options.logger, async () => {
        const stream_options = { ...call.request.stream_options, include_usage: true }
        const response = await send(call, { ...call.request, stream: true, stream_options }, watch)
        if (!response.ok || response.body === null || !isEventStream(response)) {
          return wholeResponse(call, response, tokens)
        }
        watch.pause()
        return upstreamStream(response.body, call, watch, tokens)
      })
      if (!('chunks' in result)) watch.end()
      return result
    },
  }
}

const createSend = ({ baseUrl, apiKey, fetch: send = fetch }: OpenAiUpstreamOptions): Send => {
  const url = `${baseUrl.replace(/\/+$/, '')}/chat/completions`
  return ({ requestId }, body, { signal }) =>
    send(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-request-id': requestId,
        ...(apiKey !== null && { authorization: `Bearer ${apiKey}` }),
      },
      body: JSON.stringify(body),
      signal,
      redirect: 'error',
    })
}

/** The result of `work`, or the response to its failure. An abort by the caller remains an error. */
const orFailure = async <T>(
  call: ChatCall,
  watch: UpstreamWatch,
  logger: Logger,
  work: () => Promise<T>,
): Promise<T | ChatResponse> => {
  try {
    return await work()
  } catch (error) {
    watch.end()
    if (call.signal.aborted) throw abortError()
    logger.warn('upstream failed', { requestId: call.requestId, error: String(error) })
    return watch.timedOut() ? failure(504, TIMED_OUT) : failure(502, UNREACHABLE)
  }
}

const isEventStream = (response: Response): boolean =>
  response.headers.get('content-type')?.startsWith('text/event-stream') ?? false

const wholeResponse = async (
  { promptTokens }: ChatCall,
  response: Response,
  tokens: Pick<TokenCounter, 'countText'>,
): Promise<ChatResponse> => {
  const body = parseJson(await response.text())
  if (!response.ok) return errorResponse(response, body)
  if (!isObject(body)) return failure(502, UNREADABLE)
  const usage = parseUsage(body.usage) ?? {
    promptTokens,
    completionTokens: await tokens.countText(textOf(body)),
  }
  return { status: response.status, body, usage }
}

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
