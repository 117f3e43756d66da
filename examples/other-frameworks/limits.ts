import { type Clock, createRateLimiter, type Logger, type RateLimiter } from 'zael'

export interface LimitedAppOptions {
  readonly clock?: Clock
  /** Default: warnings on stderr. */
  readonly logger?: Logger
}

/** Ten requests at once per caller, and two per second from then on. With a `store` of `zael/dynamodb`, over all processes. */
export const createLimiter = (options: LimitedAppOptions): RateLimiter =>
  createRateLimiter({ limits: [{ name: 'rps', capacity: 10, refill_rate: 2 }], ...options })
