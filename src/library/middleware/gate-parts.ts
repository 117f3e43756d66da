import { createOnceAMinute } from '../../core/ports/once-a-minute.ts'
import type { Logger } from '../../core/ports/platform.ts'
import { createConsoleLogger } from '../../platform/console-logger.ts'
import { systemClock } from '../../platform/runtime.ts'
import { withoutUndefined } from '../arguments/without-undefined.ts'
import { createRateLimiter } from '../limiter/create-rate-limiter.ts'
import type { RateLimiter } from '../limiter/rate-limiter.ts'
import type { HeaderForm, ResetFormat } from './answer-headers.ts'
import type { LimiterOrLimits, RateLimitOptions } from './rate-limit-options.ts'
import { createReport, type Report } from './reports.ts'

/** What deciding about requests stands on. */
export interface GateParts {
  readonly limiter: RateLimiter
  readonly report: Report
  readonly forms: readonly HeaderForm[]
  readonly resetFormat: ResetFormat
  readonly isShadow: boolean
  readonly logger: Logger
  readonly metrics: { count(name: string, by?: number): void }
  /** Logs failures of the `settle` function. */
  readonly settleFailed: ReturnType<typeof createOnceAMinute>
}

const FORMS: readonly HeaderForm[] = ['x-ratelimit', 'ietf']

/** The options with their defaults. Throws `ZaelError('invalid_request')` for a limit that cannot be. */
export const gateParts = <Native>(options: RateLimitOptions<Native>): GateParts => {
  const shared = sharedParts(options)
  const { headers: forms = FORMS, resetFormat = 'seconds', shadow: isShadow = false } = options
  return {
    ...shared,
    forms,
    resetFormat,
    isShadow,
    settleFailed: createOnceAMinute(shared.clock),
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

/** A limiter checks its own options, so it is given no others. */
const limiterOf = (options: LimiterOrLimits, shared: SharedParts): RateLimiter => {
  if (options.limiter !== undefined) return options.limiter
  const { limits, resources, limitsFor, priorityOf, revision, name, store, onUnavailable } = options
  const given = { limits, resources, limitsFor, priorityOf, revision, name, store, onUnavailable }
  return createRateLimiter({ ...shared, ...withoutUndefined(given) })
}

const reportOf = <Native>(
  { onWarning, onDenied, shadow = false }: RateLimitOptions<Native>,
  shared: SharedParts,
): Report => createReport({ ...shared, onWarning, onDenied }, shadow)
