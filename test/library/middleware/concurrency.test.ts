import { EventEmitter, once } from 'node:events'
import { createServer } from 'node:http'
import express from 'express'
import { Hono } from 'hono'
import { describe, expect, test } from 'vitest'
import { rateLimit as expressRateLimit } from '../../../src/library/express.ts'
import { rateLimit } from '../../../src/library/hono.ts'
import { createRateLimiter, memoryStore, silentLogger } from '../../../src/library/index.ts'
import { createTestClock, SECOND } from '../../core/test-clock.ts'

const LIMITS = [
  { name: 'parallel', algorithm: 'concurrency', limit: 1, lease_seconds: 30 },
  { name: 'tpm', meter: 'tokens', capacity: 1000, refill_rate: 1 },
] as const

const limiterWith = () => {
  const clock = createTestClock()
  const limiter = createRateLimiter({ limits: LIMITS, store: memoryStore(), logger: silentLogger, clock })
  const inFlight = async (key = 'all') =>
    (await limiter.check(key, { cost: {} })).limits.find(({ name }) => name === 'parallel')?.used
  return { clock, limiter, inFlight }
}

describe('reserve()', () => {
  test('holds a slot until it is settled or released, or expires', async () => {
    const { clock, limiter, inFlight } = limiterWith()
    const first = await limiter.reserve('all', { cost: { tokens: 5 } })
    expect(first).toMatchObject({
      allowed: true,
      limits: [{ name: 'parallel', meter: 'requests', used: 1 }, {}],
    })
    expect(await limiter.reserve('all')).toMatchObject({ allowed: false, retryAfterMs: 1000 })
    await first.settle({ tokens: 5 })
    expect(await inFlight()).toBe(0)
    const crashed = await limiter.reserve('all', { expiresInSeconds: 100 })
    clock.advance(99n * SECOND)
    expect(await inFlight()).toBe(1)
    expect(await crashed.extend(10)).toBe(true)
    clock.advance(9n * SECOND)
    expect(await inFlight()).toBe(1)
    clock.advance(SECOND)
    const next = await limiter.reserve('all')
    expect(next.allowed).toBe(true)
    expect(await crashed.extend()).toBe(false)
    await crashed.release()
    expect(await inFlight()).toBe(1)
  })

  test.each([0, 3601, 1.5, Number.NaN])('rejects %s seconds', async (seconds) => {
    const { limiter } = limiterWith()
    await expect(limiter.reserve('all', { expiresInSeconds: seconds })).rejects.toMatchObject({
      name: 'TypeError',
      field: 'expiresInSeconds',
    })
    const reservation = await limiter.reserve('all')
    await expect(reservation.extend(seconds)).rejects.toMatchObject({ field: 'seconds' })
  })

  test('rejects an invalid time also where no limit holds slots, and the key is known', async () => {
    const limits = [{ name: 'rpm', limit: 60, per: 'minute' }] as const
    const limiter = createRateLimiter({ limits, store: memoryStore(), logger: silentLogger })
    await limiter.reserve('all', { expiresInSeconds: 60 })
    await expect(limiter.reserve('all', { expiresInSeconds: 0 })).rejects.toMatchObject({
      field: 'expiresInSeconds',
    })
  })
})

describe('the middleware for Hono', () => {
  const appWith = (more: object = {}) => {
    const { limiter, inFlight } = limiterWith()
    const app = new Hono()
    app.use(rateLimit({ limiter, key: () => 'all', logger: silentLogger, ...more }))
    app.onError((_, c) => c.text('it failed', 500))
    let waiting = (): void => {}
    app.get('/', (c) => c.text('home'))
    app.get('/fails', () => {
      throw new Error('failed')
    })
    app.get('/slow', async (c) => {
      await new Promise<void>((resolve) => {
        waiting = resolve
      })
      return c.json({ usage: { total_tokens: 40 } })
    })
    return { app, limiter, inFlight, finish: () => waiting() }
  }

  test('holds a slot while the request is handled and its response is read', async () => {
    const { app, inFlight, finish } = appWith()
    const slow = app.request('/slow')
    await expect.poll(inFlight).toBe(1)
    expect((await app.request('/')).status).toBe(429)
    finish()
    const response = await slow
    expect(await response.json()).toEqual({ usage: { total_tokens: 40 } })
    expect(await inFlight()).toBe(0)
    for (let round = 0; round < 3; round++) expect(await (await app.request('/')).text()).toBe('home')
  })

  test('frees it if the client leaves, or the handler fails', async () => {
    const { app, inFlight } = appWith()
    const response = await app.request('/')
    await response.body?.cancel()
    expect(await inFlight()).toBe(0)
    expect(await (await app.request('/fails')).text()).toBe('it failed')
    expect(await inFlight()).toBe(0)
  })

  test('settles and frees it in one write, when the response has been read', async () => {
    const { app, limiter, inFlight, finish } = appWith({
      cost: () => ({ tokens: 100 }),
      settle: async (response: { json(): Promise<{ usage: { total_tokens: number } }> }) => ({
        tokens: (await response.json()).usage.total_tokens,
      }),
    })
    const slow = app.request('/slow')
    await expect.poll(inFlight).toBe(1)
    finish()
    await (await slow).text()
    expect(await inFlight()).toBe(0)
    const { limits } = await limiter.check('all', { cost: {} })
    expect(limits.find(({ name }) => name === 'tpm')).toMatchObject({ used: 40 })
  })
})

describe('the middleware for Express', () => {
  test('holds a slot until the response ends or the client leaves', async () => {
    const { limiter, inFlight } = limiterWith()
    const handled = new EventEmitter()
    const app = express()
    app.use(expressRateLimit({ limiter, key: () => 'all', logger: silentLogger }))
    app.get('/', (_, response) => void response.send('home'))
    app.get('/open', (_, response) => {
      response.write('begun')
      handled.emit('begun')
    })
    const server = createServer(app).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    const port = typeof address === 'object' ? address?.port : undefined
    const leaving = new AbortController()
    const begun = once(handled, 'begun')
    const open = fetch(`http://127.0.0.1:${port}/open`, { signal: leaving.signal })
    await begun
    expect(await inFlight()).toBe(1)
    expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(429)
    await open
    leaving.abort()
    await expect.poll(inFlight).toBe(0)
    expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('home')
    await expect.poll(inFlight).toBe(0)
    server.closeAllConnections()
    server.close()
  })
})
