import { once } from 'node:events'
import { connect } from 'node:net'
import { codeOf } from '../serve/start-error.ts'

const CONNECT_TIMEOUT_MS = 5_000

const portOf = ({ port, protocol }: URL): number => Number(port || (protocol === 'https:' ? 443 : 80))

/** Why no connection to `url` can be made: a system's code such as ECONNREFUSED. Undefined: it can. */
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
