import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, Server as NetServer, type Socket } from 'node:net'
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises'
import { getRequestListener } from '@hono/node-server'
import { codeOf, portError, reasonOf, StartError } from '../../src/command-line/failure.ts'
import type { DirectListener, DirectServer } from '../../src/http/node/direct-listener.ts'

export interface Listening {
  /** `http://127.0.0.1:8080` */
  readonly url: string
  /** Completes the requests in progress, and ends responses that never end (event streams). */
  stop(): Promise<void>
}

export interface ListenOptions {
  readonly fetch: Parameters<typeof getRequestListener>[0]
  /** Serves requests before `fetch`; all are left to `fetch` by default. */
  readonly direct?: DirectListener
  readonly host: string
  /** 0: any free port */
  readonly port: number
  /** How long an idle connection stays open. */
  readonly keepAliveSeconds: number
  /** The maximum time for requests in progress to finish when it stops. Default: 7 s, below the 10 s after which Docker kills a process. */
  readonly stopGraceMs?: number
  /** A timer by default. */
  readonly wait?: (ms: number) => Promise<void>
}

/**
 * How long new requests are still accepted: longer than a client that has just received a response takes to send
 * another.
 */
const LAST_REQUESTS_MS = 200
/** The maximum number of connections that wait to be accepted: Node's default. */
const BACKLOG = 511
const STOP_GRACE_MS = 7_000
/** The maximum time for an interrupted request to settle its charge. */
const SETTLE_GRACE_MS = 1_000
/** How much longer the headers of a request may take than an idle connection. */
const HEADERS_MARGIN_MS = 5_000

type Fetch = ListenOptions['fetch']

/**
 * Leaves 100 Continue to the app, which calls `sendContinue` of its `env` before it reads a body. By default Node sends
 * it immediately, and clients upload bodies that are then rejected by their headers alone. If it is not sent, Node
 * closes the connection after the response, because the body may or may not follow.
 */
const continuedByApp = (fetch: Fetch) => {
  const expecting = new WeakSet<object>()
  const passOn: Fetch = (request, env) => {
    const { outgoing } = env
    if (!expecting.has(outgoing)) return fetch(request, env)
    const withContinue = { ...env, sendContinue: () => outgoing.writeContinue() }
    return fetch(request, withContinue)
  }
  const watch = (server: Server): void => {
    server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
      expecting.add(response)
      server.emit('request', request, response)
    })
  }
  return { fetch: passOn, watch }
}

/** Counts the requests in progress. */
const createTracker = () => {
  let inProgress = 0
  let onNone = (): void => {}
  const end = (): void => {
    inProgress--
    if (inProgress === 0) onNone()
  }
  const track = (work: Promise<unknown>): void => {
    inProgress++
    work.then(end, end)
  }
  const ended = (): Promise<void> =>
    new Promise((resolve) => {
      onNone = resolve
      if (inProgress === 0) resolve()
    })
  return { track, ended }
}

/**
 * Stops a server without interrupting a request. While draining, every response closes its connection, so that clients
 * send their next request elsewhere; idle connections are closed.
 */
const createDrain = (server: Server, { wait = pause, stopGraceMs = STOP_GRACE_MS }: ListenOptions) => {
  /** The last response of each connection: to also note the end of each response would take a fiftieth of a check's time. */
  const last = new Map<Socket, ServerResponse>()
  let isDraining = false
  const closeAfter = (response: ServerResponse): void => {
    if (!response.headersSent) response.setHeader('connection', 'close')
  }
  server.on('connection', (socket: Socket) => socket.once('close', () => last.delete(socket)))
  server.prependListener('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    last.set(socket, response)
    if (isDraining) closeAfter(response)
  })
  const open = (): readonly ServerResponse[] => [...last.values()].filter(({ closed }) => !closed)
  return async (): Promise<void> => {
    isDraining = true
    open().forEach(closeAfter)
    // a busy client may have sent its next request: it receives a response, and then its connection is closed
    if (await hasConnections(server)) await wait(LAST_REQUESTS_MS)
    await acceptWaiting(server)
    const closed = once(server, 'close')
    // unlike the HTTP server's close, it leaves connections open: those just accepted have sent a request that is not
    // read yet
    NetServer.prototype.close.call(server)
    if (await hasConnections(server)) await wait(LAST_REQUESTS_MS)
    // what has arrived is read before connections count as idle
    await nextTurn()
    for (const response of open()) {
      if (isEndless(response)) response.destroy()
      // its headers may have kept the connection alive
      response.once('close', () => setImmediate(() => server.closeIdleConnections()))
    }
    server.close()
    const hurry = setTimeout(() => server.closeAllConnections(), stopGraceMs)
    await closed
    clearTimeout(hurry)
  }
}

/**
 * Accepts the connections that the kernel has completed; closing the socket would reset them. Node accepts one per turn
 * of the event loop, and clients reconnect after their response, so this waits for a turn without either.
 */
const acceptWaiting = async (server: Server): Promise<void> => {
  let isQuiet = false
  const onTraffic = (): void => {
    isQuiet = false
  }
  server.on('connection', onTraffic).on('request', onTraffic)
  for (let turn = 0; turn < BACKLOG && !isQuiet; turn++) {
    isQuiet = true
    await nextTurn()
  }
  server.off('connection', onTraffic).off('request', onTraffic)
}

const hasConnections = (server: Server): Promise<boolean> =>
  new Promise((resolve) => server.getConnections((error, count) => resolve(error !== null || count > 0)))

/** The dashboard's event stream: a GET whose body is still being written. It never ends by itself, and its page reconnects. */
const isEndless = ({ req, headersSent, writableEnded }: ServerResponse): boolean =>
  req.method === 'GET' && headersSent && !writableEnded

/**
 * A load balancer that reuses a connection while it is being closed returns 502, so connections outlive its own timeout
 * (60 s on AWS). Some versions of Node measure the headers timeout from the last response, so it has to be longer.
 */
const keepAlive = (server: Server, seconds: number): void => {
  server.keepAliveTimeout = seconds * 1000
  server.headersTimeout = Math.max(server.headersTimeout, server.keepAliveTimeout + HEADERS_MARGIN_MS)
  server.requestTimeout = Math.max(server.requestTimeout, server.headersTimeout)
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

/** Serves the app. Throws `StartError` if it cannot listen on the address. */
export const listen = async (options: ListenOptions): Promise<Listening> => {
  const { track, ended } = createTracker()
  const { fetch, watch } = continuedByApp((request, env) => {
    const response = options.fetch(request, env)
    if (response instanceof Promise) track(response)
    return response
  })
  const listener = getRequestListener(fetch)
  const leave: DirectServer['leave'] = (incoming, outgoing) => void listener(incoming, outgoing)
  const { direct = leave } = options
  const others: DirectServer = { leave, track }
  const server = createServer((incoming, outgoing) => direct(incoming, outgoing, others))
  watch(server)
  keepAlive(server, options.keepAliveSeconds)
  const drain = createDrain(server, options)
  try {
    server.listen(options.port, options.host)
    await once(server, 'listening')
  } catch (error) {
    throw explain(error, options)
  }
  return {
    url: urlOf(server),
    async stop() {
      await drain()
      await Promise.race([ended(), pause(SETTLE_GRACE_MS, undefined, { ref: false })])
    },
  }
}
