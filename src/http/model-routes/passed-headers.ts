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
