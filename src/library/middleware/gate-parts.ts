import type { Logger } from '../../core/ports/logger.ts'
import { createConsoleLogger } from '../../platform/console-logger.ts'
import { systemClock } from '../../platform/system-clock.ts'
import { createRateLimiter } from '../limiter/create-rate-limiter.ts'
import type { RateLimiter } from '../limiter/rate-limiter.ts'
import { memoryStore } from '../stores/memory-store.ts'
import type { HeaderForm } from './answer-headers.ts'
import type { RateLimitOptions } from './rate-limit-options.ts'
import { createReport, type Report } from './reports.ts'

/** What deciding about requests stands on. */
export interface GateParts {
  readonly limiter: RateLimiter
  readonly report: Report
  readonly forms: readonly HeaderForm[]
  readonly isShadow: boolean
  readonly logger: Logger
  readonly metrics: { count(name: string, by?: number): void }
}

const FORMS: readonly HeaderForm[] = ['x-ratelimit', 'ietf']

/** The options with their defaults. Throws `ZaelError('invalid_request')` for a limit that cannot be. */
export const gateParts = <Native>(options: RateLimitOptions<Native>): GateParts => {
  const shared = sharedParts(options)
  const { headers: forms = FORMS, shadow: isShadow = false } = options
  return {
    ...shared,
    forms,
    isShadow,
    limiter: limiterOf(options, shared),
    report: reportOf(options, shared),
  }
}

type SharedParts = ReturnType<typeof sharedParts>

const sharedParts = <Native>({ logger, metrics, clock }: RateLimitOptions<Native>) => ({
  logger: logger ?? createConsoleLogger('info'),
  metrics: metrics ?? { count() {} },
  clock: clock ?? systemClock,
})

const limiterOf = <Native>(options: RateLimitOptions<Native>, shared: SharedParts): RateLimiter =>
  options.limiter ?? createRateLimiter({ ...options, ...shared, store: options.store ?? memoryStore() })

const reportOf = <Native>(
  { onWarning, onDenied, shadow = false }: RateLimitOptions<Native>,
  shared: SharedParts,
): Report => createReport({ ...shared, onWarning, onDenied }, shadow)
