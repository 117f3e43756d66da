import { once } from 'node:events'
import type { IncomingMessage, Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { StreamRecord } from '../../src/usage/stream-record.ts'
import { closeToPages } from './closed-to-pages.ts'
import { makeDirectory } from './make-directory.ts'
import type { TapOptions } from './tapped-dynalite.ts'
import { createTappedDynalite } from './tapped-dynalite.ts'
import { createWriteFeed } from './write-feed.ts'

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
