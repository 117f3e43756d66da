import type { Api } from '../api/api.ts'
import type { CheckDenied } from '../api/responses.ts'
import type { Caller, ChatBody } from './request-draft.ts'

export const CHAT_PATH = 'v1/chat/completions'

/** The headers of a caller; without `authorization`, the token of the session is sent. */
export const callerHeaders = (caller: Caller): Record<string, string> =>
  caller.kind === 'entity' ? { 'x-zael-entity': caller.id } : { authorization: `Bearer ${caller.key}` }

/** Sends one chat; undefined if it was aborted. */
export const sendChat = async (
  api: Api,
  caller: Caller,
  body: ChatBody,
  signal: AbortSignal,
): Promise<ChatResult | undefined> => {
  try {
    const response = await api.fetch(CHAT_PATH, {
      method: 'POST',
      headers: { ...callerHeaders(caller), 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal,
    })
    return readResponse(response.status, response.headers, await response.text())
  } catch (error) {
    if (signal.aborted) return undefined
    return withoutResponse(error instanceof Error ? error.message : String(error))
  }
}

export type Violation = CheckDenied['violations'][number]

/** Why limits denied a request. */
export interface Denial {
  readonly message: string
  /** null if it can never pass. */
  readonly retryAfterSeconds: number | null
  readonly violations: readonly Violation[]
}

export interface TokenUsage {
  readonly prompt: number
  readonly completion: number
}

/** The result of a request; `failed` if it was neither allowed nor denied by limits. */
export interface ChatResult {
  readonly kind: 'allowed' | 'denied' | 'failed'
  /** 0 without a response. */
  readonly status: number
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly usage: TokenUsage | undefined
  readonly denial: Denial | undefined
  /** As text; JSON is indented. */
  readonly body: string
}

export interface Outcome extends ChatResult {
  readonly number: number
  readonly durationMs: number
  /** The time of the response, by `performance.now()`. */
  readonly endedAtMs: number
}

/** Bounds the memory of 200 stored bodies. */
const MAX_BODY_LENGTH = 20_000

/** Reads a response of `/v1/chat/completions`, streamed or not. */
export const readResponse = (
  status: number,
  headers: Iterable<readonly [string, string]>,
  text: string,
): ChatResult => {
  const json = parsed(text)
  const denial = status === 429 ? denialIn(json) : undefined
  const isOk = status >= 200 && status < 300
  return {
    kind: denial !== undefined ? 'denied' : isOk ? 'allowed' : 'failed',
    status,
    headers: [...headers],
    usage: isOk ? (usageIn(json) ?? streamedUsage(text)) : undefined,
    denial,
    body: truncated(json === undefined ? text : JSON.stringify(json, null, 2)),
  }
}

/** The result of a request without a response. */
export const withoutResponse = (message: string): ChatResult => ({
  kind: 'failed',
  status: 0,
  headers: [],
  usage: undefined,
  denial: undefined,
  body: message,
})

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

type Fields = Readonly<Record<string, unknown>>
const fieldsOf = (value: unknown): Fields =>
  typeof value === 'object' && value !== null ? (value as Fields) : {}

/** Undefined for a 429 without violations: too many failed authentications. */
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

const usageIn = (json: unknown): TokenUsage | undefined => {
  const { prompt_tokens: prompt, completion_tokens: completion } = fieldsOf(fieldsOf(json).usage)
  return typeof prompt === 'number' && typeof completion === 'number' ? { prompt, completion } : undefined
}

/** The usage in the last data event of a stream. */
const streamedUsage = (text: string): TokenUsage | undefined => {
  const events = text.split('\n').filter((line) => line.startsWith('data: {'))
  return usageIn(parsed(events.at(-1)?.slice('data: '.length) ?? ''))
}

const truncated = (text: string): string =>
  text.length <= MAX_BODY_LENGTH
    ? text
    : `${text.slice(0, MAX_BODY_LENGTH)}\n… (${text.length} characters in all)`
