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
  /** Where the data is kept; undefined: in memory. */
  readonly dataDir: string | undefined
  /** The table whose writes are fed. */
  readonly tableName: string
}

/** A DynamoDB in this process. */
export interface Engine {
  /** `http://127.0.0.1:<port>` */
  readonly endpoint: string
  /** Hands over the records of all writes that have been answered. */
  flush(): Promise<void>
  /** Answers what is being asked, flushes, and closes the data. */
  stop(): Promise<void>
}

const LOOPBACK = '127.0.0.1'

const GATHER_MS = 200

/** Far above any client's own: a connection that the engine closes under a request is an unknown outcome. */
const KEEP_ALIVE_MS = 3_600_000

const STOP_GRACE_MS = 2_000

/** dynalite throws out of its process where a client goes away in the middle of a request. */
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
 * Starts dynalite on a loopback port, with a feed of the writes to buckets, whoever makes them. Rejects with the
 * system's error where the port is taken or the directory cannot be used.
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

const REFUSAL = JSON.stringify({
  __type: 'com.amazon.coral.service#AccessDeniedException',
  message: 'This DynamoDB refuses requests of web pages (those with an Origin header)',
})

const refuse = (request: IncomingMessage, response: ServerResponse): void => {
  request.resume()
  response.writeHead(403, { 'content-type': 'application/x-amz-json-1.0', connection: 'close' }).end(REFUSAL)
}

/**
 * Refuses requests that a web page has sent. The engine checks no signature and would allow every origin, so that any page
 * in a browser on this machine could read and write the table. Programs send no Origin; a browser adds it to every POST.
 */
export const closeToPages = (server: Server): void => {
  const handlers = server.listeners('request')
  server.removeAllListeners('request')
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    if (request.headers.origin !== undefined) refuse(request, response)
    else for (const handle of handlers) handle.call(server, request, response)
  })
}

/**
 * Makes a directory, and those above it that are missing. Throws the system's error. Node's own `recursive` never
 * returns where a directory exists and takes no entry for a reason that reads as its absence: below `/proc`.
 */
export const makeDirectory = (path: string): void => {
  if (isDirectory(path)) return
  const parent = dirname(path)
  if (parent !== path) makeDirectory(parent)
  try {
    mkdirSync(path)
  } catch (error) {
    // another process may have made it meanwhile
    if (!isDirectory(path)) throw error
  }
}

const isDirectory = (path: string): boolean =>
  statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
