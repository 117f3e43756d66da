/** The error codes of the HTTP API. */
export type ErrorCode =
  | 'invalid_request'
  | 'unauthorized'
  | 'forbidden'
  | 'not_found'
  | 'conflict'
  | 'precondition_failed'
  | 'too_large'
  | 'unsupported_media_type'
  | 'unavailable'

/**
 * An error that a caller can act on. Any other error is a defect of zael, and its response is 500.
 * `field` names the input at fault (`limits[0].capacity`), if there is one.
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

/** Too many requests of one kind. The same request may succeed after `retryAfterSeconds`, to the millisecond. */
export class TooManyRequests extends Error {
  readonly retryAfterSeconds: number

  constructor(message: string, retryAfterSeconds: number) {
    super(message)
    this.name = 'TooManyRequests'
    this.retryAfterSeconds = retryAfterSeconds
  }
}

/** The message of an error, or any other thrown value as text. */
export const errorMessage = (error: unknown): string =>
  error instanceof Error ? error.message : String(error)

/** Longer than any id, and than any field's path with the name of a metadata entry. */
const LONGEST_REPEATED = 200

/** A client's text, cut to 200 characters for an error message: it may be as long as a body. */
export const shortened = (text: string): string =>
  text.length > LONGEST_REPEATED ? `${text.slice(0, LONGEST_REPEATED).replace(HALF_A_PAIR, '')}…` : text

/** The first half of a surrogate pair that was cut in two. */
const HALF_A_PAIR = /[\uD800-\uDBFF]$/

/** Bad input. `must` completes the sentence "<field> must …": `be a positive integer`. A long `field` is shortened. */
export const invalid = (field: string, must: string): ZaelError => {
  const repeated = shortened(field)
  return new ZaelError('invalid_request', `${repeated} must ${must}`, { field: repeated })
}

/**
 * The store did not respond in time, or rejected the request. `mayHaveApplied`: whether the write may have taken effect
 * nevertheless: true if the response was lost, false if it certainly did not (connection refused, throttled, circuit open).
 * `isThrottled`: the store is reachable but rejects further requests for a moment. `isClockOff`: the store is reachable, but
 * this machine's clock differs too much from the store's.
 */
export class StoreUnavailable extends Error {
  readonly mayHaveApplied: boolean
  readonly isThrottled: boolean
  readonly isClockOff: boolean
  /** The cause in one line, with the service's own error name and message: for logs and the operator, not for HTTP responses. */
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
