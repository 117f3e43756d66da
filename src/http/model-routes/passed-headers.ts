import type { ResponseHeaders } from '../../core/ports/model-backend.ts'
import type { HeaderOf } from '../../web/client.ts'

/**
 * Headers of a request that pass to an upstream. Never a credential: an upstream receives zael's own. `docs/using-the-api.md`
 * lists them.
 */
export const PASSED_REQUEST_HEADERS: readonly string[] = [
  'anthropic-beta',
  'anthropic-version',
  'openai-beta',
  'traceparent',
  'tracestate',
  'x-amzn-bedrock-guardrailidentifier',
  'x-amzn-bedrock-guardrailversion',
  'x-amzn-bedrock-trace',
]

export const passedHeaders = (header: HeaderOf): Readonly<Record<string, string>> => {
  const passed: Record<string, string> = {}
  for (const name of PASSED_REQUEST_HEADERS) {
    const value = header(name)
    if (value !== undefined) passed[name] = value
  }
  return passed
}

/** The headers of an upstream's error. Clients obey any wait: `x-should-retry: false` stops their retries if it is too long. */
export const errorHeaders = (headers: ResponseHeaders, maxRetrySeconds: number): Record<string, string> => {
  const passed: Record<string, string> = { ...headers }
  const { 'retry-after': seconds, 'retry-after-ms': ms } = headers
  const wait = ms === undefined ? Number(seconds) : Number(ms) / 1000
  if (wait > maxRetrySeconds) passed['x-should-retry'] = 'false'
  return passed
}
