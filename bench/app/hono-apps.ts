import { serve } from '@hono/node-server'
import { getConnInfo } from '@hono/node-server/conninfo'
import { Hono, type MiddlewareHandler } from 'hono'
import { rateLimiter } from 'hono-rate-limiter'
import { rateLimit } from '../../src/library/hono.ts'
import { silentLogger } from '../../src/library/index.ts'
import { LIMIT, LIMITS, type TableOptions, WINDOW_MS } from './limits.ts'

/** Serves a Hono app with `middleware`, on a free port. */
export const serveHono = (middleware: MiddlewareHandler | undefined): void => {
  const app = new Hono()
  if (middleware) app.use(middleware)
  app.get('/', (c) => c.text('hello world'))
  serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 }, ({ port }) => {
    process.stdout.write(`API http://127.0.0.1:${port}\n`)
  })
}

/** Limits the address of the connection, which is zael's default key; hono-rate-limiter has no default. */
export const honoRateLimiter = (): MiddlewareHandler =>
  rateLimiter({
    windowMs: WINDOW_MS,
    limit: LIMIT,
    standardHeaders: 'draft-7',
    keyGenerator: (c) => getConnInfo(c).remote.address ?? '',
  })

export const honoZael = (options: TableOptions = {}): MiddlewareHandler =>
  rateLimit({ limits: LIMITS, logger: silentLogger, ...options })
