import type { Api } from '../api/api.ts'
import type { CheckDenied } from '../api/responses.ts'
import type { Caller, ChatBody } from './request-draft.ts'

export const CHAT_PATH = 'v1/chat/completions'

/** The headers that ask as `caller`; the page's own token is sent where they hold none. */
export const callerHeaders = (caller: Caller): Record<string, string> =>
  caller.kind === 'entity' ? { 'x-zael-entity': caller.id } : { authorization: `Bearer ${caller.key}` }

/** Sends one chat. Undefined: it was stopped. */
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
  /** null: it can never pass. */
  readonly retryAfterSeconds: number | null
  readonly violations: readonly Violation[]
}

export interface TokenUsage {
  readonly prompt: number
  readonly completion: number
}

/** What came of a request; `failed` is whatever neither passed nor was denied by limits. */
export interface ChatResult {
  readonly kind: 'allowed' | 'denied' | 'failed'
  /** 0: there was no answer. */
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
  /** When it came, on the clock of `performance.now()`. */
  readonly endedAtMs: number
}

/** Bodies are kept to look at, 200 of them. */
const MAX_BODY_LENGTH = 20_000

/** Reads an answer of `/v1/chat/completions`, streamed or not. */
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

/** There was no answer. */
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

/** Too many failed authentications are a 429 as well, but no limit's. */
const denialIn = (json: unknown): Denial | undefined => {
  const { error, message, violations, retry_after_seconds: retry } = fieldsOf(json)
  if (!Array.isArray(violations)) return undefined
  const detailed = fieldsOf(error).message
  return {
    message: String(detailed ?? message ?? 'Denied'),
    retryAfterSeconds: typeof retry === 'number' ? retry : null,
    // The server's tests hold every answer against the schema that the type is made of.
    violations: violations as readonly Violation[],
  }
}

const usageIn = (json: unknown): TokenUsage | undefined => {
  const { prompt_tokens: prompt, completion_tokens: completion } = fieldsOf(fieldsOf(json).usage)
  return typeof prompt === 'number' && typeof completion === 'number' ? { prompt, completion } : undefined
}

/** The last but one event of a stream says it. */
const streamedUsage = (text: string): TokenUsage | undefined => {
  const events = text.split('\n').filter((line) => line.startsWith('data: {'))
  return usageIn(parsed(events.at(-1)?.slice('data: '.length) ?? ''))
}

const truncated = (text: string): string =>
  text.length <= MAX_BODY_LENGTH
    ? text
    : `${text.slice(0, MAX_BODY_LENGTH)}\n… (${text.length} characters in all)`
