import type { Pool } from 'undici'
import type { UpstreamTimeouts } from '../../core/model/upstream.ts'
import { type UpstreamConnection, UpstreamFailure, type UpstreamRequest } from './exchange.ts'
import { type ExchangeConnections, type ExchangeLimits, openExchange } from './exchange-handler.ts'

export interface ConnectionOptions {
  /** `https://api.openai.com` */
  readonly origin: string
  readonly timeouts: UpstreamTimeouts
  /** Bounds the timeouts of an exchange further, as the time of the process may be limited. */
  readonly bound?: (limits: ExchangeLimits) => ExchangeLimits
}

/**
 * The connections to one upstream, kept open between requests. undici is loaded with the first request: it is larger than all
 * other code of a Lambda. Redirects are not followed. A request on a stale connection is sent once more, on a new one
 * (docs/decisions/078-send-once-more-on-a-new-connection.md).
 */
export const createUpstreamConnection = (options: ConnectionOptions): UpstreamConnection => {
  const { origin, timeouts, bound = (limits) => limits } = options
  const limits: ExchangeLimits = {
    firstByteMs: timeouts.firstByteSeconds * 1000,
    idleMs: timeouts.idleSeconds * 1000,
    totalMs: timeouts.totalSeconds * 1000,
  }
  let pool: ConnectionPool | undefined
  const open = async (): Promise<ConnectionPool> => {
    const undici = await import('undici')
    pool ??= createPool(
      new undici.Pool(origin, {
        connect: { timeout: timeouts.connectSeconds * 1000 },
        // an exchange limits its own time
        headersTimeout: 0,
        bodyTimeout: 0,
      }),
    )
    return pool
  }
  const exchange = (on: ConnectionPool, request: UpstreamRequest) =>
    openExchange(on, request, bound(limits)).catch((error: unknown) => {
      if (!isStale(error)) throw error
      // other idle connections may be as old
      if (pool === on) void take()?.dispatcher.close()
      return withPool((fresh) => openExchange(fresh, request, bound(limits))).catch(asSent)
    })
  const withPool = <T>(use: (pool: ConnectionPool) => Promise<T>): Promise<T> =>
    pool === undefined ? open().then(use) : use(pool)
  /** A request that is sent afterwards opens new connections: it may have waited for its credentials. */
  const take = (): ConnectionPool | undefined => {
    const taken = pool
    pool = undefined
    return taken
  }
  return {
    send: (request) => withPool((opened) => exchange(opened, request)),
    async retire() {
      await take()?.dispatcher.close()
    },
    async close() {
      await take()?.dispatcher.destroy()
    },
  }
}

interface ConnectionPool extends ExchangeConnections {
  readonly dispatcher: Pool
}

/** undici starts the first request of a connection in the call that reports the connection. */
const createPool = (dispatcher: Pool): ConnectionPool => {
  let isNew = false
  dispatcher.on('connect', () => {
    isNew = true
  })
  return {
    dispatcher,
    takeNew() {
      const was = isNew
      isNew = false
      return was
    },
  }
}

/** The first time, the request may have arrived after all. */
const asSent = (error: unknown): never => {
  if (!(error instanceof UpstreamFailure)) throw error
  throw new UpstreamFailure(error.failure, { wasSent: true, cause: error.cause })
}

const isStale = (error: unknown): boolean => error instanceof UpstreamFailure && error.wasStale
