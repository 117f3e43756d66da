import type { Denied } from '../../core/decide/decision.ts'
import { denialFields, flatDenial } from '../../web/denial-json.ts'
import type { HttpSettings } from '../app-dependencies.ts'
import { flatError, type Problem, type ProblemCode, waitFields } from '../errors/problem.ts'
import { type DeniedSubject, denialError } from './denial-message.ts'

type ErrorFormat = HttpSettings['errorFormat']

/** An error in `/v1`: in OpenAI's shape, or flat where ERROR_FORMAT says so. */
export const v1Error = (problem: Problem, format: ErrorFormat) =>
  format === 'flat' ? flatError(problem) : openAiError(problem)

/** The body of a chat's 429. */
export const v1Denial = (denied: Denied, subject: DeniedSubject, format: ErrorFormat) =>
  format === 'flat'
    ? flatDenial(denied)
    : { error: { ...denialError(denied, subject) }, ...denialFields(denied) }

/** All four fields of `error` are always there: official clients read them without asking. */
export const openAiError = (problem: Problem) => ({
  error: {
    message: problem.message,
    type: typeOf(problem),
    param: problem.field ?? null,
    code: OPENAI_CODES[problem.code] ?? problem.code,
  },
  message: problem.message,
  ...waitFields(problem),
})

const OPENAI_CODES: Readonly<Partial<Record<ProblemCode, string>>> = { unauthorized: 'invalid_api_key' }

const typeOf = ({ status }: Problem): string => {
  if (status === 429) return 'requests'
  return status >= 500 ? 'server_error' : 'invalid_request_error'
}
