import type { Problem, ProblemCode } from '../errors/problem.ts'

const CODES: Readonly<Partial<Record<ProblemCode, string>>> = { unauthorized: 'invalid_api_key' }

/** An error as OpenAI's clients expect it: all four fields of `error` are always there. */
export const openAiError = (problem: Problem) => ({
  error: {
    message: problem.message,
    type: typeOf(problem),
    param: problem.field ?? null,
    code: CODES[problem.code] ?? problem.code,
  },
  message: problem.message,
})

const typeOf = ({ status }: Problem): string => {
  if (status >= 500) return 'server_error'
  return status === 429 ? 'requests' : 'invalid_request_error'
}
