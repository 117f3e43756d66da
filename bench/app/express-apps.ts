import { createServer } from 'node:http'
import express, { type RequestHandler } from 'express'
import { rateLimit as expressRateLimit } from 'express-rate-limit'
import { RateLimiterMemory } from 'rate-limiter-flexible'
import { rateLimit } from '../../src/library/express.ts'
import { type LimiterStore, silentLogger } from '../../src/library/index.ts'
import { LEASE_TTL_MS, LIMIT, LIMITS, WINDOW_MS } from './limits.ts'

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
export const flexibleLimit = (): RequestHandler => {
  const limiter = new RateLimiterMemory({ points: LIMIT, duration: WINDOW_MS / 1000 })
  return (request, response, next) => {
    limiter
      .consume(request.ip ?? '')
      .then(() => next())
      .catch(() => response.status(429).send('Too Many Requests'))
  }
}

export const expressZael = (store?: LimiterStore): RequestHandler =>
  rateLimit({ limits: LIMITS, logger: silentLogger, ...(store && { store, leaseTtlMs: LEASE_TTL_MS }) })
