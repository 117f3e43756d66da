import { UserError } from '../command-line/user-error.ts'

/** Why zael cannot start, in one line for whoever starts it. */
export class StartError extends UserError {
  override readonly name = 'StartError'
}

/** The system's code of an error (`EADDRINUSE`), or of what caused it. */
export const codeOf = (error: unknown): string | undefined => {
  if (!(error instanceof Error)) return undefined
  if ('code' in error && typeof error.code === 'string') return error.code
  return codeOf(error.cause)
}

/** The message at the bottom of an error's causes, in one line. */
export const reasonOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  if (error.cause instanceof Error) return reasonOf(error.cause)
  const text = error.message || codeOf(error) || error.name
  return text.replaceAll(/\s*\n\s*/g, ' ')
}

/** For a port that cannot be listened on. `setting` is the name of the setting that says which. */
export const portError = (error: unknown, setting: string, port: number): StartError => {
  const options = { cause: error }
  if (codeOf(error) === 'EADDRINUSE') {
    return new StartError(
      `${setting} ${port} is taken: stop what listens there, or set another ${setting}`,
      options,
    )
  }
  return new StartError(`${setting} ${port} cannot be listened on: ${reasonOf(error)}`, options)
}
