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

/** Longer than any id, and than any known field with the name of a metadata entry. */
const LONGEST_REPEATED = 200

/** What a client sent, as an error repeats it: at most 200 characters. It may be as long as a body. */
export const shortened = (text: string): string =>
  text.length > LONGEST_REPEATED ? `${text.slice(0, LONGEST_REPEATED).replace(HALF_A_PAIR, '')}…` : text

/** A character outside the BMP, cut in two. */
const HALF_A_PAIR = /[\uD800-\uDBFF]$/

/** Bad input. `must` completes the sentence "<field> must …": `be a positive integer`. A long `field` is shortened. */
export const invalid = (field: string, must: string): ZaelError => {
  const repeated = shortened(field)
  return new ZaelError('invalid_request', `${repeated} must ${must}`, { field: repeated })
}

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
