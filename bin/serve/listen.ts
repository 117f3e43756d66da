import { once } from 'node:events'
import { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createAdaptorServer } from '@hono/node-server'
import { codeOf, portError, reasonOf, StartError } from './start-error.ts'

export interface Listening {
  /** `http://127.0.0.1:8080` */
  readonly url: string
  /** Answers what is being asked, and ends what does not end by itself (event streams). */
  stop(): Promise<void>
}

export interface ListenOptions {
  readonly fetch: Parameters<typeof createAdaptorServer>[0]['fetch']
  readonly host: string
  /** 0: any free one */
  readonly port: number
}

const STOP_GRACE_MS = 2_000

const close = async (server: Server): Promise<void> => {
  const closed = once(server, 'close')
  server.close()
  const hurry = setTimeout(() => server.closeAllConnections(), STOP_GRACE_MS)
  await closed
  clearTimeout(hurry)
}

const urlOf = (server: Server): string => {
  const address: AddressInfo | string | null = server.address()
  if (address === null || typeof address === 'string') throw new Error('the API has no port')
  const host = address.family === 'IPv6' ? `[${address.address}]` : address.address
  return `http://${host}:${address.port}`
}

const explain = (error: unknown, { host, port }: ListenOptions): StartError =>
  ['EADDRNOTAVAIL', 'ENOTFOUND', 'EAI_AGAIN'].includes(codeOf(error) ?? '')
    ? new StartError(`HOST ${host} cannot be listened on: ${reasonOf(error)}`, { cause: error })
    : portError(error, 'PORT', port)

/** Serves the app. Throws `StartError` where the address cannot be listened on. */
export const listen = async (options: ListenOptions): Promise<Listening> => {
  const server = createAdaptorServer({ fetch: options.fetch })
  if (!(server instanceof Server)) throw new Error('the API needs an HTTP/1.1 server')
  try {
    server.listen(options.port, options.host)
    await once(server, 'listening')
  } catch (error) {
    throw explain(error, options)
  }
  return { url: urlOf(server), stop: () => close(server) }
}
