import { once } from 'node:events'
import { createServer } from 'node:http'
import express, { type Express, type Request } from 'express'
import { afterEach, describe, expect, test } from 'vitest'
import { rateLimit } from '../../src/library/express.ts'
import { createRateLimiter, type RateLimitOptions, silentLogger } from '../../src/library/index.ts'

const closing: (() => void)[] = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
})

/** The statuses of `times` requests for a path, and the headers of the last response. */
const statusesOf = async (app: Express, path: string, times: number) => {
  const server = createServer(app).listen(0, '127.0.0.1')
  await once(server, 'listening')
  closing.push(
    () => server.closeAllConnections(),
    () => server.close(),
  )
  const address = server.address()
  if (address === null || typeof address === 'string') throw new TypeError('the server has no port')
  const statuses: number[] = []
  let headers = new Headers()
  for (let i = 0; i < times; i++) {
    const response = await fetch(`http://127.0.0.1:${address.port}${path}`)
    await response.arrayBuffer()
    statuses.push(response.status)
    headers = response.headers
  }
  return { statuses, headers }
}

const appOf = (options: Partial<RateLimitOptions<Request>>): Express => {
  const app = express()
  app.use(
    rateLimit({
      limits: [{ name: 'requests', algorithm: 'sliding_window', limit: 2, window_seconds: 900 }],
      headers: ['ietf'],
      logger: silentLogger,
      ...options,
    }),
  )
  app.get('/ok', (_, response) => void response.send('ok'))
  app.get('/failing', (_, response) => void response.status(500).send('failing'))
  return app
}

describe('coming from express-rate-limit', () => {
  test('a window and a limit, with standard headers only', async () => {
    const { statuses, headers } = await statusesOf(appOf({}), '/ok', 3)
    expect(statuses).toEqual([200, 200, 429])
    expect(headers.get('ratelimit-policy')).toBe('"requests";q=2;w=900')
    expect(headers.has('x-ratelimit-limit')).toBe(false)
  })

  // A response is settled once it is closed, which may be just after it has arrived: far more are sent than pass.
  test('skipFailedRequests: responses that failed cost nothing', async () => {
    const limits = [
      { name: 'requests', algorithm: 'sliding_window' as const, limit: 30, window_seconds: 900 },
    ]
    const settle = ({ status }: { readonly status: number }) => (status >= 400 ? { requests: 0 } : undefined)
    const { statuses } = await statusesOf(appOf({ limits, settle }), '/failing', 60)
    expect(new Set(statuses)).toEqual(new Set([500]))
  })

  test('skipSuccessfulRequests: only responses that failed are counted', async () => {
    const limits = [
      { name: 'requests', algorithm: 'sliding_window' as const, limit: 30, window_seconds: 900 },
    ]
    const settle = ({ status }: { readonly status: number }) => (status < 400 ? { requests: 0 } : undefined)
    const app = appOf({ limits, settle })
    expect(new Set((await statusesOf(app, '/ok', 60)).statuses)).toEqual(new Set([200]))
    expect((await statusesOf(app, '/failing', 60)).statuses.at(-1)).toBe(429)
  })
})

describe('coming from rate-limiter-flexible', () => {
  const points = () =>
    createRateLimiter({
      name: 'login',
      limits: [{ name: 'points', algorithm: 'sliding_window', limit: 5, window_seconds: 60 }],
      logger: silentLogger,
    })

  test('consume, get and the remaining amount', async () => {
    const limiter = points()
    expect(await limiter.check('a', { cost: { requests: 2 } })).toMatchObject({ allowed: true })
    expect((await limiter.check('a', { cost: {} })).limits).toMatchObject([{ available: 3, used: 2 }])
    const denied = await limiter.check('a', { cost: { requests: 4 } })
    expect(denied.allowed).toBe(false)
    expect(denied.retryAfterMs).toBeGreaterThan(0)
    expect((await limiter.check('a', { cost: {} })).limits).toMatchObject([{ available: 3, used: 2 }])
  })

  test('reward and penalty', async () => {
    const limiter = points()
    await (await limiter.reserve('a', { cost: { requests: 3 } })).release()
    expect((await limiter.check('a', { cost: {} })).limits).toMatchObject([{ available: 5 }])
    await (await limiter.reserve('a', { cost: { requests: 1 } })).settle({ requests: 9 })
    expect(await limiter.check('a')).toMatchObject({ allowed: false })
  })
})
