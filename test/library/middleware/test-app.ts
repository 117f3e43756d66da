import { type Context, Hono } from 'hono'
import { StoreUnavailable } from '../../../src/core/model/errors.ts'
import { rateLimit } from '../../../src/library/hono.ts'
import { memoryStore, type RateLimitOptions } from '../../../src/library/index.ts'
import { createTestClock } from '../../core/test-clock.ts'
import { createReportsLog } from './reports-log.ts'

export const LIMITS = [{ name: 'rps', capacity: 10, refill_rate: 2 }]

/** Both forms of headers, for tests that read them. */
export const HEADERS = ['ietf', 'x-ratelimit'] as const

/** An app with one client of its own; `log` contains its reports. */
export const createTestApp = (options: Partial<RateLimitOptions<Context>> = {}) => {
  const clock = createTestClock()
  const log = createReportsLog()
  const app = new Hono()
  app.use(rateLimit({ limits: LIMITS, headers: HEADERS, clock, ...log.options, ...options }))
  app.get('/', (c) => c.text('home'))
  app.get('/health', (c) => c.text('ok'))
  app.get('/public/page', (c) => c.text('page'))
  app.post('/', (c) => c.text('done'))
  const send = (path = '/', init: RequestInit = {}, from = '203.0.113.7') =>
    app.request(path, init, { incoming: { socket: { remoteAddress: from } } })
  const statuses = async (times: number, path?: string, init?: RequestInit, from?: string) => {
    const received: number[] = []
    for (let i = 0; i < times; i++) received.push((await send(path, init, from)).status)
    return received
  }
  return { app, send, statuses, clock, log }
}

export const ok = (times: number) => Array.from({ length: times }, () => 200)

/** A value as JavaScript passes it, without type checks. */
export const untyped = (value: unknown): never => value as never

const fail = async () => {
  throw new StoreUnavailable('unavailable', { mayHaveApplied: false })
}

/** A store whose every call fails. */
export const unavailableStore = () => ({
  ...memoryStore(),
  buckets: { write: fail, read: fail, list: fail, remove: fail },
})
