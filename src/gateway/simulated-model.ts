import type { JsonObject } from '../core/model/json.ts'
import { SECOND_NS } from '../core/model/time.ts'
import type { ChatBackend, ChatCall, ChatRequest, ChatUsage } from '../core/ports/chat-backend.ts'
import type { Clock } from '../core/ports/platform.ts'
import { abortError, type Delay, usageJson } from './chat-objects.ts'
import { choicesOf, mostTokens, tokensPerChoice } from './request-tokens.ts'

/** Completion tokens if the request sets no number. */
const DEFAULT_TOKENS = 16

/** A choice is streamed in at most 256 parts, all choices together in at most 1,024 (or one each). */
const [MAX_CHOICE_PARTS, MAX_PARTS] = [256, 1024]

export interface SimulatedModelOptions {
  readonly clock: Clock
  readonly delay: Delay
  /** Delay of the response, in ms. */
  readonly latencyMs: number
  /** `node_id` of whole responses, which identifies the node; null: it has no name. */
  readonly nodeId: string | null
}

const perChoice = (request: ChatRequest): number => tokensPerChoice(request, DEFAULT_TOKENS)

const allTokens = (request: ChatRequest): number => perChoice(request) * choicesOf(request)

/** A model whose responses have exactly the requested number of tokens, as stated in `usage`. */
export const createSimulatedModel = ({
  clock,
  delay,
  latencyMs,
  nodeId,
}: SimulatedModelOptions): ChatBackend => {
  const created = () => Number(clock.now() / SECOND_NS)
  // reading `call.signal` creates it
  const wait = async (call: ChatCall) => {
    if (latencyMs > 0) await delay(latencyMs, call.signal)
  }
  return {
    mostCompletionTokens: (request) => mostTokens(request, DEFAULT_TOKENS),
    async complete(call) {
      await wait(call)
      const usage = { promptTokens: call.promptTokens, completionTokens: allTokens(call.request) }
      return { status: 200, usage, body: wholeResponse(call, usage, created(), nodeId) }
    },
    async stream(call) {
      await wait(call)
      let completionTokens = 0
      const count = (tokens: number) => {
        completionTokens += tokens
      }
      const usage = () => ({ promptTokens: call.promptTokens, completionTokens })
      return {
        chunks: chunksOf(call, { created: created(), count, usage }),
        usage: () => (completionTokens === 0 ? undefined : usage()),
      }
    },
  }
}

const wholeResponse = (
  { request, requestId }: ChatCall,
  usage: ChatUsage,
  created: number,
  nodeId: string | null,
): JsonObject => {
  const content = simulatedText(0, perChoice(request), choicesOf(request))
  return {
    id: `chatcmpl-${requestId}`,
    object: 'chat.completion',
    created,
    model: request.model,
    choices: Array.from({ length: choicesOf(request) }, (_, index) => ({
      index,
      message: { role: 'assistant', content, refusal: null },
      logprobs: null,
      finish_reason: 'stop',
    })),
    usage: usageJson(usage),
    node_id: nodeId,
  }
}

interface Streaming {
  readonly created: number
  readonly count: (tokens: number) => void
  readonly usage: () => ChatUsage
}

async function* chunksOf(call: ChatCall, { created, count, usage }: Streaming): AsyncGenerator<JsonObject> {
  const { request, requestId, signal } = call
  const includeUsage = request.stream_options?.include_usage === true
  const chunk = (choices: readonly JsonObject[]) => ({
    id: `chatcmpl-${requestId}`,
    object: 'chat.completion.chunk',
    created,
    model: request.model,
    choices,
    ...(includeUsage && { usage: null }),
  })
  for (let index = 0; index < choicesOf(request); index++) {
    for (const { tokens, delta, finish } of choiceParts(perChoice(request), choicesOf(request))) {
      if (signal.aborted) throw abortError()
      count(tokens)
      yield chunk([{ index, delta, logprobs: null, finish_reason: finish }])
    }
  }
  if (includeUsage) yield { ...chunk([]), usage: usageJson(usage()) }
}

interface Part {
  readonly tokens: number
  readonly delta: JsonObject
  readonly finish: 'stop' | null
}

function* choiceParts(tokens: number, choices: number): Generator<Part> {
  const parts = Math.min(MAX_CHOICE_PARTS, Math.ceil(MAX_PARTS / choices))
  const step = Math.ceil(tokens / parts)
  yield { tokens: 0, delta: { role: 'assistant', content: '' }, finish: null }
  for (let from = 0; from < tokens; from += step) {
    const size = Math.min(step, tokens - from)
    yield { tokens: size, delta: { content: simulatedText(from, size, choices) }, finish: null }
  }
  yield { tokens: 0, delta: {}, finish: 'stop' }
}

/** Each is one o200k token, whatever comes before it. */
const WORDS = ' This response is simulated : no model was called , and every word is one token .'
  .split(/(?= )/)
  .map((word) => (/\w/.test(word) ? word : word.trim()))

/** The text repeats them without end. */
const PERIOD = WORDS.join('')

/**
 * Words of all choices of a response together; `usage` has no such bound. Otherwise a small request could produce a
 * response of any size, and one of 65,536 words in 128 choices blocks the event loop for 76 ms.
 */
const MAX_WORDS = 16_384

/** `count` words of the text of one of `choices`, starting at word `from`; fewer at the end of its share of `MAX_WORDS`. */
const simulatedText = (from: number, count: number, choices: number): string => {
  const share = Math.floor(MAX_WORDS / choices)
  const end = Math.min(from + count, share)
  if (end <= from) return ''
  const periods = Math.floor(from / WORDS.length)
  const first = from - periods * WORDS.length
  const last = end - periods * WORDS.length
  const text = PERIOD.repeat(Math.ceil(last / WORDS.length)).slice(lengthOf(first), lengthOf(last))
  return from === 0 ? text.trimStart() : text
}

/** Characters of the first words of the text, by their number. */
const LENGTHS = Array.from({ length: WORDS.length }, (_, words) => WORDS.slice(0, words).join('').length)

/** The same for any number of words. */
const lengthOf = (words: number): number => {
  const whole = Math.floor(words / WORDS.length)
  return whole * PERIOD.length + (LENGTHS[words - whole * WORDS.length] ?? 0)
}
