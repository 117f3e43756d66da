import type { Context } from 'hono'
import {
  byAnswer,
  byApiKey,
  byClientIp,
  createRateLimiter,
  firstOf,
  memoryStore,
  type RateLimitDecision,
  type RateLimitOptions,
} from 'zael'
import { rateLimit } from 'zael/hono'

const limiter = createRateLimiter({
  store: memoryStore(),
  limits: [
    { name: 'rpm', capacity: 60, refill_rate: 1 },
    { name: 'rph', algorithm: 'sliding_window', limit: 100, window_seconds: 3600, mode: 'warn' },
    { name: 'rpd', algorithm: 'fixed_window', limit: 1000, window: 'day', time_zone: 'Europe/Berlin' },
  ],
})

export const decision: Promise<RateLimitDecision> = limiter.check('user-42', { cost: { requests: 1 } })

const options: RateLimitOptions<Context> = {
  limiter,
  key: firstOf(byApiKey(), byClientIp({ trustedProxies: ['10.0.0.0/8'] })),
  cost: ({ native }) => ({ requests: 1, tokens: Number(native.req.query('n') ?? 1) }),
  settle: byAnswer,
}
export const middleware = rateLimit(options)

const store = memoryStore()

// @ts-expect-error a limiter of one's own, or limits to make one of: not both
rateLimit({ limiter, limits: [] })

// @ts-expect-error a calendar has no such window
createRateLimiter({ store, limits: [{ name: 'a', algorithm: 'fixed_window', limit: 1, window: 'week' }] })

// @ts-expect-error a token bucket says how fast it is refilled
createRateLimiter({ store, limits: [{ name: 'rpm', capacity: 60 }] })
