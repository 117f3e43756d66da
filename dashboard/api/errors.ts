/** An error response, with the message of the API; `status` is 0 if the API was not reached. */
export class ApiError extends Error {
  readonly status: number
  /** The invalid field, if the response names one. */
  readonly field: string | undefined

  constructor(status: number, message: string, field?: string) {
    super(message)
    this.name = 'ApiError'
    this.status = status
    this.field = field
  }
}

/** Whether a conditional change was refused, as someone else has made one. */
export const isStale = (error: unknown): boolean => error instanceof ApiError && error.status === 412

export const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)))

/** The invalid field, if the error is an `ApiError` that names one: `limits[0].capacity`. */
export const errorFieldOf = (error: Error | undefined): string | undefined =>
  error !== undefined && 'field' in error && typeof error.field === 'string' ? error.field : undefined

/**
 * The message about `field` or a part of it (`models[1]`), without the name of the field; undefined if the
 * error is about another one.
 */
export const fieldErrorOf = (error: Error | undefined, field: string): string | undefined => {
  const fault = errorFieldOf(error)
  if (error === undefined || fault === undefined) return undefined
  const isIt = fault === field || fault.startsWith(`${field}[`) || fault.startsWith(`${field}.`)
  return isIt ? withoutField(error.message, fault) : undefined
}

/** Whether an error is about one of these fields, which shows it, so that the form need not. */
export const isFieldError = (error: Error | undefined, fields: readonly string[]): boolean =>
  fields.some((field) => fieldErrorOf(error, field) !== undefined)

/** `limits[0].capacity must be …` as `Must be …`, to be shown at the field itself. */
export const withoutField = (message: string, field: string): string => {
  const text = message.startsWith(`${field} `) ? message.slice(field.length + 1) : message
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`
}
