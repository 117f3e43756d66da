import type { JsonObject } from '../../core/model/json.ts'
import type {
  AbortSignalLike,
  ChatCall,
  ChatStream,
  ChatUsage,
  TokenCounter,
} from '../../core/ports/chat-backend.ts'
import { abortError, parseUsage } from '../chat-objects.ts'
import { isObject } from '../json-values.ts'
import { TIMED_OUT, UNREACHABLE, type UpstreamWatch } from './upstream-call.ts'

/**
 * An upstream's stream. Its usage is what it reports at the end; until then, and where it reports none, its deltas are
 * counted. A stream that breaks off ends with the error as its last chunk.
 */
export const upstreamStream = (
  body: ReadableStream<Uint8Array>,
  call: ChatCall,
  watch: UpstreamWatch,
  tokens: Pick<TokenCounter, 'countText'>,
): ChatStream => {
  let usage: ChatUsage = { promptTokens: call.promptTokens, completionTokens: 0 }
  let isKnown = false
  const asUsageAsked = call.request.stream_options?.include_usage === true ? same : withoutUsage
  const count = async (chunk: JsonObject) => {
    const completionTokens = usage.completionTokens + (await tokens.countText(textOf(chunk)))
    const reported = parseUsage(chunk.usage)
    usage = reported ?? { ...usage, completionTokens }
    isKnown ||= reported !== undefined || completionTokens > 0
  }

  async function* counted(): AsyncGenerator<JsonObject> {
    for await (const data of sseData(body)) {
      if (data === '[DONE]') {
        isKnown = true
        return
      }
      const chunk = parseChunk(data)
      await count(chunk)
      const shown = asUsageAsked(chunk)
      if (shown !== undefined) yield shown
    }
  }
  return { chunks: watched(counted(), call.signal, watch), usage: () => (isKnown ? usage : undefined) }
}

/** Limits the time for each chunk; the time that the reader takes does not count. */
async function* watched(
  chunks: AsyncIterable<JsonObject>,
  caller: AbortSignalLike,
  watch: UpstreamWatch,
): AsyncGenerator<JsonObject> {
  try {
    watch.resume()
    for await (const chunk of chunks) {
      watch.pause()
      yield chunk
      watch.resume()
    }
  } catch {
    if (caller.aborted) throw abortError()
    yield watch.timedOut() ? TIMED_OUT : UNREACHABLE
  } finally {
    watch.end()
  }
}

const parseChunk = (data: string): JsonObject => {
  const chunk: unknown = JSON.parse(data)
  if (!isObject(chunk)) throw new Error('the upstream sent a chunk that is not an object')
  return chunk
}

const same = (chunk: JsonObject): JsonObject | undefined => chunk

/** The chunk for a client that did not request usage; undefined if it contains nothing else. */
const withoutUsage = ({ usage, ...chunk }: JsonObject): JsonObject | undefined =>
  isObject(usage) && choicesOf(chunk).length === 0 ? undefined : chunk

const choicesOf = ({ choices }: JsonObject): readonly unknown[] => (Array.isArray(choices) ? choices : [])

/** The text that the model wrote in a chunk or a whole response. */
export const textOf = (chunk: JsonObject): string =>
  choicesOf(chunk)
    .flatMap((choice) => (isObject(choice) ? [choice.delta ?? choice.message] : []))
    .flatMap((delta) => (isObject(delta) ? Object.entries(delta) : []))
    .map(([key, value]) => (key === 'role' ? '' : writtenText(value)))
    .join('')

/** Strings as they are; of tool calls, their names and arguments. */
const writtenText = (value: unknown): string => {
  if (typeof value === 'string') return value
  if (Array.isArray(value))
    return value.map((each) => (isObject(each) ? writtenText(each.function) : '')).join('')
  return isObject(value) ? `${value.name ?? ''}${value.arguments ?? ''}` : ''
}

/** In characters. No chunk of a chat is longer. */
const MAX_EVENT_LENGTH = 4 * 1024 * 1024

/**
 * The data of each server-sent event in `body`; other fields and comments are dropped. The event that the end of the stream
 * cuts off is included as far as it was received. Throws for an event longer than `MAX_EVENT_LENGTH`.
 */
export async function* sseData(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  // loaded with the first stream, outside the code that a cold start of a Lambda loads
  const { createParser } = await import('eventsource-parser')
  const received: string[] = []
  const parser = createParser({
    maxBufferSize: MAX_EVENT_LENGTH,
    onEvent: ({ data }) => {
      received.push(data)
    },
    onError({ type }) {
      if (type === 'max-buffer-size-exceeded')
        throw new Error(`an event of the upstream is longer than ${MAX_EVENT_LENGTH} characters`)
    },
  })
  const decoder = new TextDecoder()
  for await (const bytes of body) {
    parser.feed(decoder.decode(bytes, { stream: true }))
    yield* received.splice(0)
  }
  parser.feed('\n\n')
  yield* received
}
