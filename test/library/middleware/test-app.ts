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
  const ask = (path = '/', init: RequestInit = {}, from = '203.0.113.7') =>
    app.request(path, init, { incoming: { socket: { remoteAddress: from } } })
  const statuses = async (times: number, path?: string, init?: RequestInit, from?: string) => {
    const seen: number[] = []
    for (let i = 0; i < times; i++) seen.push((await ask(path, init, from)).status)
    return seen
  }
  return { app, ask, statuses, clock, log }
}

export const ok = (times: number) => Array.from({ length: times }, () => 200)

/** As JavaScript passes it, which no compiler has checked. */
export const untyped = (value: unknown): never => value as never

const fail = async () => {
  throw new StoreUnavailable('away', { mayHaveApplied: false })
}

/** A store whose every call fails. */
export const unavailableStore = () => ({
  ...memoryStore(),
  buckets: { write: fail, read: fail, list: fail, remove: fail },
})
