import type { Denied } from '../../core/decide/decision.ts'
import { denialFields } from '../../web/denial-json.ts'
import { modelErrorBody } from '../../web/model-errors.ts'
import { type DeniedSubject, denialError } from './openai-error.ts'
import { type Problem, waitFields } from './problem.ts'

/** The body of an error of `/v1/messages`. */
export const anthropicError = (problem: Problem, requestId: string) => ({
  ...modelErrorBody('messages', { ...FIELDS, ...problem, code: null }, requestId),
  ...waitFields(problem),
})

const FIELDS = { type: null, param: null }

/** The body of its 429, with the same message as OpenAI's routes. */
export const anthropicDenial = (denied: Denied, subject: DeniedSubject, requestId: string) => {
  const { message } = denialError(denied, subject)
  return {
    ...denialFields(denied),
    ...modelErrorBody('messages', { ...FIELDS, status: 429, message, code: null }, requestId),
  }
}

/** Whether errors of a path have Anthropic's form. */
export const isAnthropicPath = (path: string): boolean =>
  path === '/v1/messages' || path.startsWith('/v1/messages/')
