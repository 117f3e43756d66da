/** What went wrong, in the words of the HTTP contract. */
export type ErrorCode =
  | 'invalid_request'
  | 'unauthorized'
  | 'forbidden'
  | 'not_found'
  | 'conflict'
  | 'too_large'
  | 'unsupported_media_type'
  | 'unavailable'

/**
 * An error that a caller can act on. Everything else that is thrown is a fault of zael and is answered with 500.
 * `field` names the input at fault (`limits[0].capacity`), where one is.
 */
export class ZaelError extends Error {
  readonly code: ErrorCode
  readonly field: string | undefined

  constructor(code: ErrorCode, message: string, options: { field?: string; cause?: unknown } = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined)
    this.name = 'ZaelError'
    this.code = code
    this.field = options.field
  }
}

/** A bound on work of one kind is reached. The same request may succeed after `retryAfterSeconds`, to the millisecond. */
export class TooManyRequests extends Error {
  readonly retryAfterSeconds: number

  constructor(message: string, retryAfterSeconds: number) {
    super(message)
    this.name = 'TooManyRequests'
    this.retryAfterSeconds = retryAfterSeconds
  }
}

/** Bad input. `must` completes the sentence "<field> must …": `be a positive integer`. */
export const invalid = (field: string, must: string): ZaelError =>
  new ZaelError('invalid_request', `${field} must ${must}`, { field })

/**
 * The store did not answer in time, or refused. `mayHaveApplied` says whether the write can have taken effect all
 * the same: true for a lost answer, false where it surely did not (refused connection, throttled, circuit open).
 * `isThrottled`: it is there, and takes no more for a moment. `isClockOff`: it is there, and this machine's clock differs
 * too much from its own.
 */
export class StoreUnavailable extends Error {
  readonly mayHaveApplied: boolean
  readonly isThrottled: boolean
  readonly isClockOff: boolean
  /** Why, in one line with the service's own name and message: for logs and the operator, not for HTTP responses. */
  readonly reason: string

  constructor(
    message: string,
    options: {
      mayHaveApplied: boolean
      isThrottled?: boolean
      isClockOff?: boolean
      reason?: string
      cause?: unknown
    },
  ) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined)
    this.name = 'StoreUnavailable'
    this.mayHaveApplied = options.mayHaveApplied
    this.isThrottled = options.isThrottled ?? false
    this.isClockOff = options.isClockOff ?? false
    this.reason =
      options.reason ?? (options.cause instanceof StoreUnavailable ? options.cause.reason : message)
  }
}
