import { createParser } from 'eventsource-parser'
import { fieldsOf, MODEL_APIS, type ModelApi, type TokenUsage } from './model-apis.ts'

/** The text, the usage and the error of a response, which may still be arriving. */
export interface ReadResponse {
  readonly text: string
  readonly usage: TokenUsage | undefined
  /** The message of an error in the body or the stream. */
  readonly error: string | undefined
  /** The number of events; undefined for a whole response. */
  readonly events: number | undefined
}

/** Reads a whole response: its parsed body. */
export const readWhole = (api: ModelApi, body: unknown): ReadResponse => {
  const { text = '', usage = {} } = MODEL_APIS[api].readWhole(fieldsOf(body))
  return { text, usage: mergedUsage(undefined, usage), error: errorIn(body), events: undefined }
}

/** Assembles a stream while it arrives. */
export interface StreamedResponse {
  /** Adds the next piece, which may end anywhere. */
  add(piece: string): void
  /** The response so far. */
  read(): ReadResponse
}

/** Assembles the text of a stream of events. An event that is not JSON is counted, and has no text. */
export const createStreamedResponse = (api: ModelApi): StreamedResponse => {
  const { readEvent } = MODEL_APIS[api]
  const text = createBoundedText()
  let usage: TokenUsage | undefined
  let error: string | undefined
  let events = 0
  const parser = createParser({
    onEvent: ({ data }) => {
      events++
      const event = parsed(data)
      const reading = readEvent(fieldsOf(event))
      text.add(reading.text ?? '')
      usage = mergedUsage(usage, reading.usage ?? {})
      error ??= errorIn(event)
    },
  })
  return {
    add: (piece) => parser.feed(piece),
    read: () => ({ text: text.read(), usage, error, events }),
  }
}

/** Bounds the memory of 200 results. */
const MAX_TEXT_LENGTH = 20_000

/** A text whose characters beyond a bound are counted and not kept. */
export const createBoundedText = () => {
  let kept = ''
  let length = 0
  return {
    add(piece: string) {
      kept += piece.slice(0, MAX_TEXT_LENGTH - kept.length)
      length += piece.length
    },
    read: (): string => (length === kept.length ? kept : `${kept}\n… (${length} characters in all)`),
  }
}

/** The start of a text that is long. */
export const truncated = (text: string): string => {
  const bounded = createBoundedText()
  bounded.add(text)
  return bounded.read()
}

/** The value of a JSON text; undefined if it is none. */
export const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The later usage wins, field by field, unless it is 0; undefined without any. */
const mergedUsage = (
  earlier: TokenUsage | undefined,
  { prompt, completion }: Partial<TokenUsage>,
): TokenUsage | undefined =>
  prompt === undefined && completion === undefined
    ? earlier
    : { prompt: prompt || earlier?.prompt || 0, completion: completion || earlier?.completion || 0 }

const NO_MESSAGE = 'The error has no message.'

/**
 * The message of an error in the body or an event of any API: `{error: {message}}`, `{error: "code", message}`,
 * and in a stream of responses `{type: "error", message}` and `response.failed`. Undefined if it contains none.
 */
export const errorIn = (body: unknown): string | undefined => {
  const { type, error, message, response } = fieldsOf(body)
  if (type === 'response.failed') return messageOf(fieldsOf(response).error)
  if (error === undefined || error === null) return type === 'error' ? messageOf(body) : undefined
  return typeof error === 'string' && message === undefined
    ? error
    : messageOf(typeof error === 'string' ? body : error)
}

const messageOf = (error: unknown): string => {
  const { message } = fieldsOf(error)
  return typeof message === 'string' && message !== '' ? message : NO_MESSAGE
}
