import type { EarlyResponse } from '../middleware/middleware.ts'

/** How an error of each status is named. */
const TYPES = { 401: 'Unauthorized', 429: 'RateLimitExceeded', 503: 'Unavailable' } as const

/**
 * Thrown by a limited function whose caller expects errors instead of responses: AppSync, or one that invokes the function directly. AppSync
 * passes the message to the client, with the time to wait, and the type to the resolver's response handler (`ctx.error.type`).
 */
export class RejectedError extends Error {
  /** Also the `name`, which Lambda reports as the type of an error. */
  readonly errorType: (typeof TYPES)[keyof typeof TYPES]
  /** The JSON that an HTTP API would have sent. */
  readonly errorInfo: EarlyResponse['body']

  constructor({ status, body }: EarlyResponse) {
    super(body.message + waitText(body))
    this.errorType = TYPES[status]
    this.name = this.errorType
    this.errorInfo = body
  }
}

const waitText = (body: EarlyResponse['body']): string => {
  if (!('retry_after_seconds' in body)) return ''
  const { retry_after_seconds: seconds } = body
  if (seconds === null) return '; this request can never pass'
  return typeof seconds === 'number' ? `; try again in ${seconds} s` : ''
}
