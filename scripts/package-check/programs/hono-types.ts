import type { Context } from 'hono'
import {
  byApiKey,
  byClientIp,
  byResponse,
  createRateLimiter,
  firstOf,
  memoryStore,
  type RateLimitOptions,
} from 'zael'
import { rateLimit } from 'zael/hono'

const limiter = createRateLimiter({
  store: memoryStore(),
  limits: [{ name: 'rpm', capacity: 60, refill_rate: 1 }],
})

const options: RateLimitOptions<Context> = {
  limiter,
  key: firstOf(byApiKey(), byClientIp({ trustedProxies: ['10.0.0.0/8'] })),
  cost: ({ native }) => ({ requests: 1, tokens: Number(native.req.query('n') ?? 1) }),
  settle: byResponse,
}
export const middleware = rateLimit(options)

// @ts-expect-error either a limiter or limits, not both
rateLimit({ limiter, limits: [] })
