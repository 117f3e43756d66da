/** An error response, with the message of the API; `status` 0: the API was not reached. */
export class ApiError extends Error {
  readonly status: number
  /** The input at fault, where the answer names one. */
  readonly field: string | undefined

  constructor(status: number, message: string, field?: string) {
    super(message)
    this.name = 'ApiError'
    this.status = status
    this.field = field
  }
}

export const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)))

/** The input at fault, where an `ApiError` names one: `limits[0].capacity`. */
export const errorFieldOf = (error: Error | undefined): string | undefined =>
  error !== undefined && 'field' in error && typeof error.field === 'string' ? error.field : undefined

/** What the API says no to in `field` or in a part of it (`models[1]`), as a sentence of its own; undefined: nothing. */
export const fieldErrorOf = (error: Error | undefined, field: string): string | undefined => {
  const fault = errorFieldOf(error)
  if (error === undefined || fault === undefined) return undefined
  const isIt = fault === field || fault.startsWith(`${field}[`) || fault.startsWith(`${field}.`)
  return isIt ? withoutField(error.message, fault) : undefined
}

/** Whether an error stands at one of these fields, so that it needs no other place. */
export const isFieldError = (error: Error | undefined, fields: readonly string[]): boolean =>
  fields.some((field) => fieldErrorOf(error, field) !== undefined)

/** `limits[0].capacity must be …` as `Must be …`: what stands at its field need not name it. */
export const withoutField = (message: string, field: string): string => {
  const said = message.startsWith(`${field} `) ? message.slice(field.length + 1) : message
  return `${said.charAt(0).toUpperCase()}${said.slice(1)}`
}
