import { invalid } from '../../core/errors.ts'
import type { Logger } from '../../core/ports/logger.ts'
import { createConsoleLogger } from '../../platform/console-logger.ts'
import { systemClock } from '../../platform/system-clock.ts'
import { createRateLimiter } from '../limiter/create-rate-limiter.ts'
import type { RateLimiter } from '../limiter/rate-limiter.ts'
import { memoryStore } from '../stores/memory-store.ts'
import type { HeaderForm } from './answer-headers.ts'
import type { RateLimitOptions } from './rate-limit-options.ts'
import { createReports, type Reports } from './reports.ts'

/** What deciding about requests stands on. */
export interface GateParts {
  readonly limiter: RateLimiter
  readonly reports: Reports
  readonly forms: readonly HeaderForm[]
  readonly isShadow: boolean
  readonly logger: Logger
  readonly metrics: { count(name: string, by?: number): void }
}

const WARN_AT = 0.8
const FORMS: readonly HeaderForm[] = ['x-ratelimit', 'ietf']

/** The options with their defaults. Throws `ZaelError('invalid_request')` for one that cannot be. */
export const gateParts = <Native>(options: RateLimitOptions<Native>): GateParts => {
  const shared = sharedParts(options)
  const { headers: forms = FORMS, shadow: isShadow = false } = options
  return {
    ...shared,
    forms,
    isShadow,
    limiter: limiterOf(options, shared),
    reports: reportsOf(options, shared),
  }
}

type SharedParts = ReturnType<typeof sharedParts>

const sharedParts = <Native>({ logger, metrics, clock }: RateLimitOptions<Native>) => ({
  logger: logger ?? createConsoleLogger('warn'),
  metrics: metrics ?? { count() {} },
  clock: clock ?? systemClock,
})

const limiterOf = <Native>(options: RateLimitOptions<Native>, shared: SharedParts): RateLimiter =>
  options.limiter ?? createRateLimiter({ ...options, ...shared, store: options.store ?? memoryStore() })

const reportsOf = <Native>(
  { warnAt = WARN_AT, onWarning, onDenied }: RateLimitOptions<Native>,
  shared: SharedParts,
): Reports => {
  if (!(warnAt > 0 && warnAt <= 1)) throw invalid('warnAt', 'be above 0 and at most 1')
  return createReports({ ...shared, onWarning, onDenied }, warnAt)
}
