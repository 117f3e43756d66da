import { once } from 'node:events'
import { mkdirSync, statSync } from 'node:fs'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { dirname } from 'node:path'
import type { StreamRecord } from '../usage/stream-usage.ts'
import { createTappedDynalite, createWriteFeed, type TapOptions } from './tapped-dynalite.ts'

export interface EngineOptions {
  /** On the loopback address; 0: any free one. */
  readonly port: number
  /** The directory of the data; undefined: in memory. */
  readonly dataDir: string | undefined
  /** The table whose writes are fed. */
  readonly tableName: string
}

/** A DynamoDB in this process. */
export interface Engine {
  /** `http://127.0.0.1:<port>` */
  readonly endpoint: string
  /** Delivers the records of all writes that are complete. */
  flush(): Promise<void>
  /** Completes the requests in progress, flushes, and closes the data. */
  stop(): Promise<void>
}

const LOOPBACK = '127.0.0.1'

const GATHER_MS = 200

/** Far longer than any client's: if the engine closed a connection during a request, its outcome would be unknown. */
const KEEP_ALIVE_MS = 3_600_000

const STOP_GRACE_MS = 2_000

/** dynalite throws an uncaught exception if a client disconnects during a request. */
const surviveLostClients = (server: Server): void => {
  server.on('request', (request: IncomingMessage) => {
    request.removeAllListeners('error')
    request.on('error', () => request.socket.destroy())
  })
}

const isBucket: TapOptions['isWanted'] = (item) => item.SK?.S?.startsWith('BUCKET') ?? false

const portOf = (server: Server): number => {
  const address: AddressInfo | string | null = server.address()
  if (address === null || typeof address === 'string') throw new Error('the engine has no port')
  return address.port
}

const close = async (server: Server): Promise<void> => {
  const hurry = setTimeout(() => server.closeAllConnections(), STOP_GRACE_MS)
  try {
    await new Promise<void>((resolve, reject) => server.close((error) => (error ? reject(error) : resolve())))
  } finally {
    clearTimeout(hurry)
  }
}

/**
 * Starts dynalite on a loopback port, with a feed of all writes to buckets. Rejects with the system's error if the port is
 * taken or the directory cannot be used.
 */
export const startEngine = async (
  { port, dataDir, tableName }: EngineOptions,
  onRecords: (records: readonly StreamRecord[]) => void,
): Promise<Engine> => {
  if (dataDir !== undefined) makeDirectory(dataDir)
  const feed = createWriteFeed({ onRecords, gatherMs: GATHER_MS, nowMs: Date.now })
  try {
    const server = await createTappedDynalite({
      path: dataDir,
      tableName,
      isWanted: isBucket,
      onWrite: feed.add,
    })
    closeToPages(server)
    surviveLostClients(server)
    server.keepAliveTimeout = KEEP_ALIVE_MS
    server.listen(port, LOOPBACK)
    await once(server, 'listening')
    return {
      endpoint: `http://${LOOPBACK}:${portOf(server)}`,
      async flush() {
        feed.flush()
      },
      async stop() {
        await close(server)
        feed.stop()
      },
    }
  } catch (error) {
    feed.stop()
    throw error
  }
}

const REJECTION = JSON.stringify({
  __type: 'com.amazon.coral.service#AccessDeniedException',
  message: 'This DynamoDB rejects requests of web pages (those with an Origin header)',
})

const reject = (request: IncomingMessage, response: ServerResponse): void => {
  request.resume()
  response
    .writeHead(403, { 'content-type': 'application/x-amz-json-1.0', connection: 'close' })
    .end(REJECTION)
}

/**
 * Rejects requests of web pages. The engine checks no signature and allows every origin, so any page in a browser on this
 * machine could read and write the table. Browsers add an Origin to every POST; programs do not.
 */
const closeToPages = (server: Server): void => {
  const handlers = server.listeners('request')
  server.removeAllListeners('request')
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    if (request.headers.origin !== undefined) reject(request, response)
    else for (const handle of handlers) handle.call(server, request, response)
  })
}

/**
 * Creates a directory and its missing parents. Throws the system's error. Node's `recursive` option never returns below
 * `/proc`, where creating an entry fails with the error of a missing parent.
 */
export const makeDirectory = (path: string): void => {
  if (isDirectory(path)) return
  const parent = dirname(path)
  if (parent !== path) makeDirectory(parent)
  try {
    mkdirSync(path)
  } catch (error) {
    // another process may have created it in the meantime
    if (!isDirectory(path)) throw error
  }
}

const isDirectory = (path: string): boolean =>
  statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
