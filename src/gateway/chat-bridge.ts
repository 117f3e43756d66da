import { setImmediate as nextTurn } from 'node:timers/promises'
import type { JsonObject } from '../core/model/json.ts'
import type {
  ChatBackend,
  ChatCall,
  ChatRequest,
  ChatResponse,
  ChatStream,
  ChatUsage,
  TokenCounter,
} from '../core/ports/chat-backend.ts'
import {
  CallAborted,
  type ModelBackend,
  type ModelCall,
  type ModelCharge,
  type ModelEvents,
  type ModelReply,
} from '../core/ports/model-backend.ts'

/** Serves chats by a `ChatBackend`, until every kind of upstream implements `ModelBackend`. */
export const createChatBridge = (backend: ChatBackend, tokens: TokenCounter): ModelBackend => ({
  leastEstimate: () => undefined,
  async estimate({ body }) {
    const request = chatOf(body)
    const inputTokens = await tokens.countPrompt(request)
    const namedOutputTokens = backend.mostCompletionTokens(request)
    return { inputTokens, namedOutputTokens, choices: 1, defaultOutputTokens: null }
  },
  async call(call) {
    const chat: ChatCall = {
      request: chatOf(call.body),
      promptTokens: call.inputTokens,
      requestId: call.requestId,
      get signal() {
        return call.signal
      },
    }
    try {
      if (call.body.stream !== true) return wholeOf(await backend.complete(chat), call)
      const result = await backend.stream(chat)
      return 'chunks' in result
        ? { kind: 'stream', status: 200, headers: {}, events: eventsOf(result) }
        : wholeOf(result, call)
    } catch (error) {
      throw call.signal.aborted ? new CallAborted({ of: 'estimate' }) : error
    }
  },
})

const chatOf = (body: JsonObject): ChatRequest => body as JsonObject & ChatRequest

const wholeOf = ({ status, body, usage, headers }: ChatResponse, { inputTokens }: ModelCall): ModelReply => ({
  kind: 'whole',
  status,
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify(body),
  charge:
    status >= 400
      ? { of: 'nothing' }
      : usageCharge(usage ?? { promptTokens: inputTokens, completionTokens: 0 }),
})

const usageCharge = (usage: ChatUsage): ModelCharge => ({
  of: 'usage',
  usage: {
    inputTokens: usage.promptTokens,
    outputTokens: usage.completionTokens,
    ...(usage.cachedPromptTokens !== undefined && { cachedInputTokens: usage.cachedPromptTokens }),
  },
})

const CHUNKS_PER_TURN = 16

const eventsOf = ({ chunks, usage }: ChatStream): ModelEvents => {
  const iterator = chunks[Symbol.asyncIterator]()
  let [hasEnded, isCancelled, sent] = [false, false, 0]
  return {
    hasEnded: () => hasEnded,
    async next() {
      if (hasEnded || isCancelled) return undefined
      sent += 1
      if (sent % CHUNKS_PER_TURN === 0) await nextTurn()
      const next = await iterator.next().catch(() => ({ done: true as const, value: undefined }))
      if (!next.done) return `data: ${JSON.stringify(next.value)}\n\n`
      hasEnded = true
      return 'data: [DONE]\n\n'
    },
    cancel() {
      isCancelled = true
      void iterator.return?.().catch(() => undefined)
    },
    async charge() {
      const counted = usage()
      return counted === undefined ? { of: 'estimate' } : usageCharge(counted)
    },
  }
}
