import { createServer } from 'node:http'
import express, { type RequestHandler } from 'express'
import { rateLimit as expressRateLimit } from 'express-rate-limit'
import { type RateLimiterAbstract, RateLimiterMemory } from 'rate-limiter-flexible'
import { rateLimit } from '../../src/library/express.ts'
import { silentLogger } from '../../src/library/index.ts'
import { LIMIT, LIMITS, type TableOptions, WINDOW_MS } from './limits.ts'

/** Serves an Express app with `middleware`, on a free port. */
export const serveExpress = (middleware: RequestHandler | undefined): void => {
  const app = express()
  if (middleware) app.use(middleware)
  app.get('/', (_, response) => void response.send('hello world'))
  const server = createServer(app).listen(0, '127.0.0.1', () => {
    const address = server.address()
    if (address === null || typeof address === 'string') throw new TypeError('the server has no port')
    process.stdout.write(`API http://127.0.0.1:${address.port}\n`)
  })
}

/** Its default key is the client's address, as zael's. */
export const expressLimit = (): RequestHandler =>
  expressRateLimit({ windowMs: WINDOW_MS, limit: LIMIT, standardHeaders: 'draft-7', legacyHeaders: false })

/**
 * As documented, without headers.
 * https://github.com/animir/node-rate-limiter-flexible/wiki/Express-Middleware
 */
export const flexibleLimit = (
  limiter: RateLimiterAbstract = new RateLimiterMemory(FLEXIBLE_LIMIT),
): RequestHandler => {
  return (request, response, next) => {
    limiter
      .consume(request.ip ?? '')
      .then(() => next())
      .catch(() => response.status(429).send('Too Many Requests'))
  }
}

export const FLEXIBLE_LIMIT = { points: LIMIT, duration: WINDOW_MS / 1000 }

export const expressZael = (options: TableOptions = {}): RequestHandler =>
  rateLimit({ limits: LIMITS, logger: silentLogger, ...options })
