import type { Api } from '../api/api.ts'
import type { CheckDenied } from '../api/responses.ts'
import { fieldsOf, MODEL_APIS } from './model-apis.ts'
import {
  createBoundedText,
  createStreamedResponse,
  parsed,
  type ReadResponse,
  readWhole,
  truncated,
} from './read-response.ts'
import type { Caller, ModelRequest } from './request-draft.ts'

/** The headers of a caller; without `authorization`, the token of the session is sent. */
export const callerHeaders = (caller: Caller): Record<string, string> =>
  caller.kind === 'entity' ? { 'x-zael-entity': caller.id } : { authorization: `Bearer ${caller.key}` }

export type Violation = CheckDenied['violations'][number]

/** Why limits denied a request. */
export interface Denial {
  readonly message: string
  /** null if it can never pass. */
  readonly retryAfterSeconds: number | null
  readonly violations: readonly Violation[]
}

/** Why a request failed that no limit denied. */
export interface Failure {
  readonly message: string
  /** The wait that the response asks for; undefined without one. */
  readonly retryAfterSeconds: number | undefined
}

/** The result of a request. A response that is still arriving is `allowed` as long as it contains no error. */
export interface ModelResult {
  readonly kind: 'allowed' | 'denied' | 'failed' | 'stopped'
  /** 0 without a response. */
  readonly status: number
  readonly headers: readonly (readonly [name: string, value: string])[]
  /** The visible output. */
  readonly text: string
  readonly usage: ReadResponse['usage']
  readonly events: ReadResponse['events']
  /** The time from the request to the first piece of a stream. */
  readonly firstMs: number | undefined
  readonly denial: Denial | undefined
  readonly failure: Failure | undefined
  /** As text; JSON is indented. */
  readonly body: string
}

export interface Outcome extends ModelResult {
  readonly number: number
  readonly durationMs: number
  /** The time of the response, by `performance.now()`. */
  readonly endedAtMs: number
}

/** Sends one request, and reports its response while it streams; undefined if it was aborted before the response. */
export const sendRequest = async (
  api: Api,
  request: ModelRequest,
  signal: AbortSignal,
  onProgress: (result: ModelResult) => void,
): Promise<ModelResult | undefined> => {
  try {
    const startedAtMs = performance.now()
    const response = await api.fetch(MODEL_APIS[request.api].path, {
      method: 'POST',
      headers: { ...callerHeaders(request.caller), 'content-type': 'application/json' },
      body: JSON.stringify(request.body),
      signal,
    })
    const { status, headers, body } = response
    if (body === null || !isStream(headers))
      return readResponse(request.api, status, headers, await response.text())
    return await readStream({ request, response: { status, headers, body }, startedAtMs, signal }, onProgress)
  } catch (error) {
    if (signal.aborted) return undefined
    return withoutResponse(messageOf(error))
  }
}

const isStream = (headers: Headers): boolean =>
  headers.get('content-type')?.startsWith('text/event-stream') ?? false

interface Streaming {
  readonly request: ModelRequest
  readonly response: Pick<Response, 'status' | 'headers'> & { readonly body: ReadableStream<Uint8Array> }
  /** By `performance.now()`. */
  readonly startedAtMs: number
  readonly signal: AbortSignal
}

/** Reads a stream to its end. One that breaks off, or is stopped, keeps what has arrived. */
const readStream = async (
  { request, response, startedAtMs, signal }: Streaming,
  onProgress: (result: ModelResult) => void,
): Promise<ModelResult> => {
  const { status, headers, body } = response
  const streamed = createStreamedResponse(request.api)
  const raw = createBoundedText()
  let firstMs: number | undefined
  const soFar = (ended: Partial<ModelResult> = {}): ModelResult => {
    const { error, ...read } = streamed.read()
    return {
      kind: error === undefined ? 'allowed' : 'failed',
      status,
      headers: [...headers],
      ...read,
      firstMs,
      denial: undefined,
      failure: error === undefined ? undefined : failureOf(error, headers),
      body: raw.read(),
      ...ended,
    }
  }
  onProgress(soFar())
  try {
    await readText(body, (piece) => {
      firstMs ??= performance.now() - startedAtMs
      raw.add(piece)
      streamed.add(piece)
      onProgress(soFar())
    })
    return soFar()
  } catch (error) {
    if (signal.aborted) return soFar({ kind: 'stopped' })
    const message = `The stream broke off: ${messageOf(error)}`
    return soFar({ kind: 'failed', failure: { message, retryAfterSeconds: undefined } })
  }
}

/** Emits the text of a body in pieces of whole characters. */
const readText = async (
  body: ReadableStream<Uint8Array>,
  onPiece: (piece: string) => void,
): Promise<void> => {
  const reader = body.getReader()
  const decoder = new TextDecoder()
  for (;;) {
    const { done, value } = await reader.read()
    const piece = decoder.decode(value, { stream: !done })
    if (piece !== '') onPiece(piece)
    if (done) return
  }
}

/** Reads a whole response of an API. */
export const readResponse = (
  api: ModelRequest['api'],
  status: number,
  headers: Headers,
  text: string,
): ModelResult => {
  const json = parsed(text)
  const denial = status === 429 ? denialIn(json) : undefined
  const isOk = status >= 200 && status < 300
  const { error, ...read } = readWhole(api, json)
  const isFailed = !isOk || error !== undefined
  return {
    kind: denial !== undefined ? 'denied' : isFailed ? 'failed' : 'allowed',
    status,
    headers: [...headers],
    ...read,
    firstMs: undefined,
    denial,
    failure:
      isFailed && denial === undefined
        ? failureOf(error ?? `The API returned status ${status}.`, headers)
        : undefined,
    body: truncated(json === undefined ? text : JSON.stringify(json, null, 2)),
  }
}

/** The result of a request without a response. */
export const withoutResponse = (message: string): ModelResult => ({
  kind: 'failed',
  status: 0,
  headers: [],
  text: '',
  usage: undefined,
  events: undefined,
  firstMs: undefined,
  denial: undefined,
  failure: { message, retryAfterSeconds: undefined },
  body: message,
})

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** Undefined for a 429 without violations: too many failed authentications, or an upstream's limit. */
const denialIn = (json: unknown): Denial | undefined => {
  const { error, message, violations, retry_after_seconds: retry } = fieldsOf(json)
  if (!Array.isArray(violations)) return undefined
  const detailed = fieldsOf(error).message
  return {
    message: String(detailed ?? message ?? 'Denied'),
    retryAfterSeconds: typeof retry === 'number' ? retry : null,
    // Not parsed here: the server's tests check every response against the schema that the type is inferred from.
    violations: violations as readonly Violation[],
  }
}

const failureOf = (message: string, headers: Headers): Failure => ({
  message,
  retryAfterSeconds: waitOf(headers),
})

/** The wait of `retry-after-ms` or `retry-after`, in seconds; undefined without one, or where it is a date. */
const waitOf = (headers: Headers): number | undefined => {
  const [ms, seconds] = [headers.get('retry-after-ms'), headers.get('retry-after')]
  const wait = ms === null ? Number(seconds ?? Number.NaN) : Number(ms) / 1000
  return Number.isFinite(wait) && wait >= 0 ? wait : undefined
}
