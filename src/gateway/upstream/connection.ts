import type { Pool } from 'undici'
import type { UpstreamTimeouts } from '../../core/model/upstream.ts'
import type { UpstreamConnection } from './exchange.ts'
import { type ExchangeLimits, openExchange } from './exchange-handler.ts'

export interface ConnectionOptions {
  /** `https://api.openai.com` */
  readonly origin: string
  readonly timeouts: UpstreamTimeouts
  /** Bounds the timeouts of an exchange further, as the time of the process may be limited. */
  readonly bound?: (limits: ExchangeLimits) => ExchangeLimits
}

/**
 * The connections to one upstream, kept open between requests. undici is loaded with the first request: it is larger than all
 * other code of a Lambda. Redirects are not followed.
 */
export const createUpstreamConnection = (options: ConnectionOptions): UpstreamConnection => {
  const { origin, timeouts, bound = (limits) => limits } = options
  const limits: ExchangeLimits = {
    firstByteMs: timeouts.firstByteSeconds * 1000,
    idleMs: timeouts.idleSeconds * 1000,
    totalMs: timeouts.totalSeconds * 1000,
  }
  let pool: Pool | undefined
  const open = async (): Promise<Pool> => {
    const undici = await import('undici')
    pool ??= new undici.Pool(origin, {
      connect: { timeout: timeouts.connectSeconds * 1000 },
      // an exchange limits its own time
      headersTimeout: 0,
      bodyTimeout: 0,
    })
    return pool
  }
  const send: UpstreamConnection['send'] = (request) => {
    if (pool !== undefined) return openExchange(pool, request, bound(limits))
    return open().then((opened) => openExchange(opened, request, bound(limits)))
  }
  /** A request that is sent afterwards opens new connections: it may have waited for its credentials. */
  const take = (): Pool | undefined => {
    const taken = pool
    pool = undefined
    return taken
  }
  return {
    send,
    async retire() {
      await take()?.close()
    },
    async close() {
      await take()?.destroy()
    },
  }
}
