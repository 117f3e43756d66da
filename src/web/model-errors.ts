import type { ModelApi, ModelProblem } from '../core/ports/model-backend.ts'

/** The body of an error of a model route, in the form of its API. */
export const modelErrorBody = (api: ModelApi, problem: ModelProblem, requestId: string): object =>
  isAnthropic(api)
    ? { type: 'error', error: anthropicError(problem), request_id: requestId }
    : { error: openAiErrorFields(problem), message: problem.message }

/**
 * An error in the middle of a stream, as an event of its API. `number`: of the event, in an API whose events are numbered from 0
 * on.
 */
export const modelErrorEvent = (
  api: ModelApi,
  problem: ModelProblem,
  requestId: string,
  number = 0,
): string => {
  if (api !== 'responses') {
    const data = JSON.stringify(modelErrorBody(api, problem, requestId))
    return isAnthropic(api) ? `event: error\ndata: ${data}\n\n` : `data: ${data}\n\n`
  }
  const { message, param, code } = openAiErrorFields(problem)
  const data = JSON.stringify({ type: 'error', code, message, param, sequence_number: number })
  return `event: error\ndata: ${data}\n\n`
}

/** Whether errors and headers of an API are Anthropic's; all others have OpenAI's. */
export const isAnthropic = (api: ModelApi): boolean => api === 'messages' || api === 'count_tokens'

/** OpenAI's `error`: all four fields are always present, as official clients do not check for them. */
export const openAiErrorFields = ({ status, message, type, param, code }: ModelProblem) => ({
  message,
  type: type ?? openAiType(status),
  param,
  code,
})

const openAiType = (status: number): string => {
  if (status === 429) return 'requests'
  return status >= 500 ? 'server_error' : 'invalid_request_error'
}

const anthropicError = ({ status, message, type }: ModelProblem) => ({
  type: type ?? anthropicType(status),
  message,
})

/** https://docs.claude.com/en/api/errors */
const ANTHROPIC_TYPES: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  529: 'overloaded_error',
}

const anthropicType = (status: number): string =>
  ANTHROPIC_TYPES[status] ?? (status >= 500 ? 'api_error' : 'invalid_request_error')
