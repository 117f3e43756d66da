import type { ContentfulStatusCode } from 'hono/utils/http-status'
import {
  type ErrorCode,
  StoreUnavailable,
  shortened,
  TooManyRequests,
  ZaelError,
} from '../../core/model/errors.ts'

/** The path exists, the method does not. `allow` lists the methods that do. */
export class MethodNotAllowed extends Error {
  readonly allow: readonly string[]

  constructor(method: string, allow: readonly string[]) {
    super(`${shortened(method)} is not allowed here; allowed: ${allow.join(', ')}`)
    this.name = 'MethodNotAllowed'
    this.allow = allow
  }
}

/** A model that is not registered, or that the caller may not use. */
export class ModelRejected extends Error {
  readonly code: 'model_not_found' | 'model_not_allowed'

  constructor(code: ModelRejected['code'], named: string) {
    const model = shortened(named)
    super(
      code === 'model_not_found'
        ? `The model \`${model}\` does not exist or you do not have access to it.`
        : `You are not allowed to use the model \`${model}\`.`,
    )
    this.name = 'ModelRefused'
    this.code = code
  }
}

/** The client closed the connection before its request had arrived. Nothing can be sent to it. */
export class ClientDisconnected extends Error {
  constructor(options: { readonly cause: unknown }) {
    super('The client closed the connection before the end of its request', options)
    this.name = 'ClientGone'
  }
}

export type ProblemCode =
  | ErrorCode
  | ModelRejected['code']
  | 'method_not_allowed'
  | 'rate_limit_exceeded'
  | 'internal_error'

/** An error in terms of HTTP, before it is formatted as a body. */
export interface Problem {
  readonly status: ContentfulStatusCode
  readonly code: ProblemCode
  readonly message: string
  /** The input at fault: `limits[0].capacity`. */
  readonly field?: string
  readonly headers: Readonly<Record<string, string>>
  /** To the millisecond; only for a 429. */
  readonly retryAfterSeconds?: number
}

const STATUS: Readonly<Record<ErrorCode, ContentfulStatusCode>> = {
  invalid_request: 400,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  precondition_failed: 412,
  too_large: 413,
  unsupported_media_type: 415,
  unavailable: 503,
}

/** Maps every error to HTTP. An unforeseen one is a 500 without details. */
export const problemOf = (error: unknown): Problem => {
  if (error instanceof ZaelError) return zaelProblem(error)
  if (error instanceof StoreUnavailable) return unavailable
  if (error instanceof MethodNotAllowed) return methodProblem(error)
  if (error instanceof TooManyRequests) return tooManyProblem(error)
  if (error instanceof ModelRejected) return modelProblem(error)
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
  headers: ERROR_HEADERS[error.code] ?? {},
})

const ERROR_HEADERS: Partial<Record<ErrorCode, Problem['headers']>> = {
  unauthorized: { 'www-authenticate': 'Bearer realm="zael"' },
  unavailable: { 'retry-after': '1' },
}

const methodProblem = (error: MethodNotAllowed): Problem => ({
  status: 405,
  code: 'method_not_allowed',
  message: error.message,
  headers: { allow: error.allow.join(', ') },
})

const modelProblem = (error: ModelRejected): Problem => ({
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

/** The body of an error outside `/v1`; with ERROR_FORMAT=flat, everywhere. */
export const flatError = (problem: Problem) => ({
  error: problem.code,
  message: problem.message,
  ...(problem.field !== undefined && { field: problem.field }),
  ...waitFields(problem),
})

/** The wait of a 429 that is not a decision on limits. */
export const waitFields = ({ retryAfterSeconds }: Problem) =>
  retryAfterSeconds === undefined ? {} : { retry_after_seconds: retryAfterSeconds, violations: [] }
