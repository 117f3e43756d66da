import type { JsonObject, JsonValue } from '../../core/model/json.ts'
import type { ModelProblem } from '../../core/ports/model-backend.ts'
import { isObject, stringOf } from '../json-values.ts'

/** Of an error that names no status. */
const BAD_GATEWAY = 502

const UNEXPLAINED = 'The upstream reported an error without a message'

/** https://docs.claude.com/en/api/errors */
const ANTHROPIC_STATUSES: Readonly<Record<string, number>> = {
  invalid_request_error: 400,
  authentication_error: 401,
  permission_error: 403,
  not_found_error: 404,
  request_too_large: 413,
  rate_limit_error: 429,
  overloaded_error: 529,
}

/**
 * The error in a response of status 200, or in an event of a stream, in the forms of OpenAI, Anthropic, OpenRouter and vLLM;
 * undefined: it is none. `"error": null` beside an answer is an answer.
 */
export const errorIn = (body: JsonObject): ModelProblem | undefined => {
  const { error, type } = body
  const isAnthropic = type === 'error'
  if (isObject(error)) return problemOf(error, isAnthropic ? ANTHROPIC_STATUSES : {})
  if (typeof error === 'string' && error !== '') return problemOf({ ...body, message: error }, {})
  // an event of the Responses API, and an error of older vLLM
  if (isAnthropic || body.object === 'error') return problemOf({ ...body, type: null }, {})
  return undefined
}

const problemOf = (error: JsonObject, statuses: Readonly<Record<string, number>>): ModelProblem => {
  const type = stringOf(error.type)
  return {
    status: statusOf(error.code) ?? statusOf(error.status) ?? statuses[type] ?? BAD_GATEWAY,
    message: stringOf(error.message) || UNEXPLAINED,
    code: codeOf(error.code),
    type: type || null,
    param: stringOf(error.param) || null,
  }
}

const statusOf = (code: JsonValue | undefined): number | undefined => {
  const status = typeof code === 'string' && /^\d{3}$/.test(code) ? Number(code) : code
  return typeof status === 'number' && Number.isInteger(status) && status >= 400 && status <= 599
    ? status
    : undefined
}

const codeOf = (code: JsonValue | undefined): string | null =>
  typeof code === 'number' ? String(code) : stringOf(code) || null
