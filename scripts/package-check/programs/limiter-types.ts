import { createRateLimiter, memoryStore, type RateLimitDecision } from 'zael'

const store = memoryStore()

const limiter = createRateLimiter({
  store,
  limits: [
    { name: 'rpm', capacity: 60, refill_rate: 1 },
    { name: 'rph', algorithm: 'sliding_window', limit: 100, window_seconds: 3600, mode: 'warn' },
    { name: 'rpd', algorithm: 'fixed_window', limit: 1000, window: 'day', time_zone: 'Europe/Berlin' },
  ],
})

export const decision: Promise<RateLimitDecision> = limiter.check('user-42', { cost: { requests: 1 } })

// @ts-expect-error a calendar has no such window
createRateLimiter({ store, limits: [{ name: 'a', algorithm: 'fixed_window', limit: 1, window: 'week' }] })

// @ts-expect-error a token bucket says how fast it is refilled
createRateLimiter({ store, limits: [{ name: 'rpm', capacity: 60 }] })
