import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { type ErrorCode, StoreUnavailable, TooManyRequests, ZaelError } from '../../core/model/errors.ts'
import { MethodNotAllowed, ModelRefused } from './http-errors.ts'

export type ProblemCode =
  | ErrorCode
  | ModelRefused['code']
  | 'method_not_allowed'
  | 'rate_limit_exceeded'
  | 'internal_error'

/** An error as HTTP says it, before it takes the shape of a body. */
export interface Problem {
  readonly status: ContentfulStatusCode
  readonly code: ProblemCode
  readonly message: string
  /** The input at fault: `limits[0].capacity`. */
  readonly field?: string
  readonly headers: Readonly<Record<string, string>>
  /** To the millisecond; set where a wait cures it (429). */
  readonly retryAfterSeconds?: number
}

const STATUS: Readonly<Record<ErrorCode, ContentfulStatusCode>> = {
  invalid_request: 400,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  too_large: 413,
  unsupported_media_type: 415,
  unavailable: 503,
}

/** The one place that says what an error is in HTTP. What nobody foresaw is a 500 that tells nothing. */
export const problemOf = (error: unknown): Problem => {
  if (error instanceof ZaelError) return zaelProblem(error)
  if (error instanceof StoreUnavailable) return unavailable
  if (error instanceof MethodNotAllowed) return methodProblem(error)
  if (error instanceof TooManyRequests) return tooManyProblem(error)
  if (error instanceof ModelRefused) return modelProblem(error)
  return { status: 500, code: 'internal_error', message: 'Something went wrong on our side', headers: {} }
}

const unavailable: Problem = {
  status: 503,
  code: 'unavailable',
  message: 'The store is not reachable; please try again',
  headers: { 'retry-after': '1' },
}

const zaelProblem = (error: ZaelError): Problem => ({
  status: STATUS[error.code],
  code: error.code,
  message: error.message,
  ...(error.field !== undefined && { field: error.field }),
  headers: error.code === 'unauthorized' ? { 'www-authenticate': 'Bearer realm="zael"' } : {},
})

const methodProblem = (error: MethodNotAllowed): Problem => ({
  status: 405,
  code: 'method_not_allowed',
  message: error.message,
  headers: { allow: error.allow.join(', ') },
})

const modelProblem = (error: ModelRefused): Problem => ({
  status: error.code === 'model_not_found' ? 404 : 403,
  code: error.code,
  message: error.message,
  headers: {},
})

const tooManyProblem = (error: TooManyRequests): Problem => ({
  status: 429,
  code: 'rate_limit_exceeded',
  message: error.message,
  retryAfterSeconds: error.retryAfterSeconds,
  headers: {
    'retry-after-ms': String(Math.round(error.retryAfterSeconds * 1000)),
    'retry-after': String(Math.ceil(error.retryAfterSeconds)),
  },
})
