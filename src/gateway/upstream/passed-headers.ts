import type { ResponseHeaders } from '../../core/ports/model-backend.ts'

/**
 * Response headers of an upstream that pass to the client; `docs/using-the-api.md` lists them. Those that name zael's account
 * there, or describe the upstream's own limits, do not.
 */
export const PASSED_RESPONSE_HEADERS: ReadonlySet<string> = new Set([
  'anthropic-version',
  'openai-model',
  'openai-processing-ms',
  'openai-version',
  'x-amzn-bedrock-cache-read-input-token-count',
  'x-amzn-bedrock-cache-write-input-token-count',
  'x-amzn-bedrock-input-token-count',
  'x-amzn-bedrock-invocation-latency',
  'x-amzn-bedrock-output-token-count',
])

/** When to try again: on errors. */
const WAITS = ['retry-after', 'retry-after-ms', 'x-should-retry'] as const

/** Ids that providers give a request, in the order of preference; the client receives one as `x-upstream-request-id`. */
const REQUEST_IDS = ['x-request-id', 'request-id', 'x-amzn-requestid', 'apim-request-id'] as const

/** A header value that every HTTP server can send. */
const SENDABLE = /^[\t\x20-\x7e\x80-\xff]*$/

/** `content-type` passes where the body does. */
export const passedResponseHeaders = (headers: ResponseHeaders, isError: boolean): Record<string, string> => {
  const passed: Record<string, string> = {}
  const pass = (name: string, value: string | undefined): void => {
    if (value !== undefined && SENDABLE.test(value)) passed[name] = value
  }
  for (const name in headers) if (PASSED_RESPONSE_HEADERS.has(name)) pass(name, headers[name])
  const id = REQUEST_IDS.find((name) => headers[name] !== undefined)
  if (id !== undefined) pass('x-upstream-request-id', headers[id])
  if (isError) for (const name of WAITS) pass(name, headers[name])
  return passed
}

/** Whether a response is a stream of events, by the essence of its media type. */
export const isEventStream = ({ 'content-type': type = '' }: ResponseHeaders): boolean =>
  type.split(';', 1)[0]?.trim().toLowerCase() === 'text/event-stream'

/** Whether a body is compressed although an upstream was asked not to compress it. */
export const isCompressed = ({ 'content-encoding': encoding = '' }: ResponseHeaders): boolean =>
  encoding !== '' && encoding.toLowerCase() !== 'identity'

/** Lists, of which an upstream receives the values of the client and of its own configuration. */
const LISTS = new Set(['anthropic-beta', 'openai-beta'])

/** Never from a client: zael sends its own. */
const CREDENTIALS = ['authorization', 'x-api-key', 'api-key', 'cookie', 'proxy-authorization'] as const

/** The headers of a request to an upstream, from the client's and those that the upstream is configured with. */
export const requestHeaders = (
  client: ResponseHeaders,
  configured: ResponseHeaders,
): Record<string, string> => {
  const headers: Record<string, string> = { ...client }
  for (const name of CREDENTIALS) delete headers[name]
  for (const [name, value] of Object.entries(configured)) {
    const own = headers[name]
    headers[name] = own !== undefined && LISTS.has(name) ? `${own},${value}` : value
  }
  return headers
}
