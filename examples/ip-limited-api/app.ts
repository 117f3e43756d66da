import { Hono } from 'hono'
import { byClientIp, type Clock, type LimiterStore, type Logger, memoryStore } from 'zael'
import { rateLimit } from 'zael/hono'

export interface IpLimitedApiOptions {
  /** Default: in memory. */
  readonly store?: LimiterStore
  /** Proxies in front, or their addresses. Default: none. */
  readonly trustedProxies?: number | readonly string[]
  readonly clock?: Clock
  /** Default: warnings on stderr. */
  readonly logger?: Logger
}

/** An API that admits a burst of ten requests per client, and two per second from then on. */
export const createIpLimitedApi = (options: IpLimitedApiOptions = {}): Hono => {
  const { store = memoryStore(), trustedProxies = 0, clock, logger } = options
  const app = new Hono()
  app.use(
    rateLimit({
      store,
      limits: [{ name: 'rps', capacity: 10, refill_rate: 2 }],
      key: byClientIp({ trustedProxies }),
      exempt: ['/health'],
      ...(clock && { clock }),
      ...(logger && { logger }),
    }),
  )
  app.get('/', (c) => c.json({ message: 'Ten requests at once, then two a second' }))
  app.get('/api/data', (c) => c.json({ data: [1, 2, 3] }))
  app.post('/api/submit', async (c) => c.json({ received: await c.req.json().catch(() => null) }, 201))
  app.get('/health', (c) => c.json({ status: 'ok' }))
  return app
}
