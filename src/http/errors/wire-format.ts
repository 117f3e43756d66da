import type { ModelApi, ModelCall, ModelProblem } from '../../core/ports/model-backend.ts'
import { isAnthropic, modelErrorBody } from '../../web/model-errors.ts'
import type { HttpSettings } from '../app-dependencies.ts'
import { anthropicError, isAnthropicPath } from './anthropic-error.ts'
import { openAiError } from './openai-error.ts'
import { flatError, type Problem } from './problem.ts'

/** The form of an error's body. */
export type WireFormat = 'openai' | 'anthropic' | 'flat'

/** The form of errors of a model route. */
export const formatOf = (api: ModelApi, errorFormat: HttpSettings['errorFormat']): WireFormat => {
  if (errorFormat === 'flat') return 'flat'
  return isAnthropic(api) ? 'anthropic' : 'openai'
}

/** The form of errors at a path: flat outside `/v1`. */
export const formatAt = (path: string, errorFormat: HttpSettings['errorFormat']): WireFormat => {
  if (errorFormat === 'flat' || !isV1(path)) return 'flat'
  return isAnthropicPath(path) ? 'anthropic' : 'openai'
}

const isV1 = (path: string): boolean => path === '/v1' || path.startsWith('/v1/')

/** The body of an error. */
export const errorBody = (problem: Problem, format: WireFormat, requestId: string): object => {
  if (format === 'flat') return flatError(problem)
  return format === 'anthropic' ? anthropicError(problem, requestId) : openAiError(problem)
}

/** The body of an upstream's failure. */
export const modelProblemBody = (
  problem: ModelProblem,
  format: WireFormat,
  { api, requestId }: Pick<ModelCall, 'api' | 'requestId'>,
): object =>
  format === 'flat'
    ? { error: problem.code ?? 'upstream_error', message: problem.message }
    : modelErrorBody(api, problem, requestId)
