import { createRateLimiter, memoryStore, type RateLimitDecision } from 'zael'

const store = memoryStore()

const limiter = createRateLimiter({
  store,
  limits: [
    { name: 'login', capacity: 60, refill_rate: 1 },
    { name: 'rpm', limit: 100, per: 'minute' },
    { name: 'paused', limit: 0, per: 'hour', mode: 'shadow' },
    { name: 'rph', algorithm: 'sliding_window', limit: 100, window_seconds: 3600, mode: 'warn' },
    { name: 'rpd', algorithm: 'fixed_window', limit: 1000, window: 'day', time_zone: 'Europe/Berlin' },
    { name: 'run', algorithm: 'fixed_window', limit: 50, window: 'first_use', window_seconds: 3600 },
  ],
})

export const decision: Promise<RateLimitDecision> = limiter.check('user-42', { cost: { requests: 1 } })

export const byNumber: Promise<RateLimitDecision> = createRateLimiter({ limits: [] }).check(42)

// @ts-expect-error a period has a name
createRateLimiter({ store, limits: [{ name: 'rpm', limit: 100, per: 'fortnight' }] })

// @ts-expect-error a meter that is unknown would be charged to nothing
limiter.check('user-42', { cost: { request: 1 } })

// @ts-expect-error an option that is unknown
createRateLimiter({ store, limits: [], exmpt: [] })

// @ts-expect-error a calendar has no such window
createRateLimiter({ store, limits: [{ name: 'a', algorithm: 'fixed_window', limit: 1, window: 'year' }] })

// @ts-expect-error a token bucket has a refill rate
createRateLimiter({ store, limits: [{ name: 'rpm', capacity: 60 }] })
