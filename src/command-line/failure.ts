import { once } from 'node:events'
import { connect } from 'node:net'
import { UserError } from './command-line.ts'

/** The reason why zael cannot start, in one line. */
export class StartError extends UserError {
  override readonly name = 'StartError'
}

/** The system's code of an error (`EADDRINUSE`), or of its cause. */
export const codeOf = (error: unknown): string | undefined => {
  if (!(error instanceof Error)) return undefined
  if ('code' in error && typeof error.code === 'string') return error.code
  return codeOf(error.cause)
}

/** The message of the innermost cause of an error, in one line. */
export const reasonOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  if (error.cause instanceof Error) return reasonOf(error.cause)
  const text = error.message || codeOf(error) || error.name
  return text.replaceAll(/\s*\n\s*/g, ' ')
}

/** The error for a port that cannot be listened on; `setting` is the name of its setting. */
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

const CONNECT_TIMEOUT_MS = 5_000

const portOf = ({ port, protocol }: URL): number => Number(port || (protocol === 'https:' ? 443 : 80))

/** The reason why a connection to `url` fails, such as ECONNREFUSED. Undefined if it succeeds. */
export const connectionFailure = async (url: string): Promise<string | undefined> => {
  const target = new URL(url)
  const socket = connect(portOf(target), target.hostname.replace(/^\[|\]$/g, ''))
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(CONNECT_TIMEOUT_MS) })
    return undefined
  } catch (error) {
    const code = codeOf(error) ?? String(error)
    return code === 'ABORT_ERR' ? `no connection within ${CONNECT_TIMEOUT_MS / 1000} s` : code
  } finally {
    socket.destroy()
  }
}
