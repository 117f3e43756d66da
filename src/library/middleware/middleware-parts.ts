import { createOnceAMinute } from '../../core/ports/once-a-minute.ts'
import type { Logger } from '../../core/ports/platform.ts'
import { createConsoleLogger } from '../../platform/console-logger.ts'
import { systemClock } from '../../platform/runtime.ts'
import { withoutUndefined } from '../arguments.ts'
import { createLimiterOf, type Runtime } from '../limiter/create-rate-limiter.ts'
import type { RateLimiter } from '../limiter/rate-limiter.ts'
import type { SettleFunction } from '../requests/costs.ts'
import { checkRateLimitOptions, type LimiterOrLimits, type RateLimitOptions } from './rate-limit-options.ts'
import { createReport, type Report } from './reports.ts'
import type { HeaderForm, HeaderOptions } from './response-headers.ts'

/** What a middleware is built from: its options, with their defaults. */
export interface MiddlewareParts extends HeaderOptions {
  readonly limiter: RateLimiter
  readonly settle: SettleFunction | undefined
  /** Left out if no option requires a report. */
  readonly report: Report | undefined
  readonly logger: Logger
  readonly metrics: { count(name: string, by?: number): void }
  /** Logs failures of the `settle` function. */
  readonly settleFailed: ReturnType<typeof createOnceAMinute>
}

const FORMS: readonly HeaderForm[] = ['ietf']

/** Throws `ZaelError('invalid_request')` whose `field` names the unknown or invalid option. */
export const middlewareParts = <Native>(
  options: RateLimitOptions<Native>,
  runtime: Runtime,
): MiddlewareParts => {
  checkRateLimitOptions(options)
  const shared = sharedParts(options)
  const { headers: forms = FORMS, resetFormat = 'seconds', shadow: isShadow = false, settle } = options
  return {
    ...shared,
    forms,
    resetFormat,
    isShadow,
    settle,
    settleFailed: createOnceAMinute(shared.clock),
    limiter: limiterOf(options, shared, runtime),
    report: reportOf(options, shared),
  }
}

type SharedParts = ReturnType<typeof sharedParts>

const sharedParts = <Native>({ logger, metrics, clock }: RateLimitOptions<Native>) => ({
  logger: logger ?? createConsoleLogger('info'),
  metrics: metrics ?? { count() {} },
  clock: clock ?? systemClock,
})

/** Passes only the options of a limiter, because it rejects unknown ones. */
const limiterOf = (options: LimiterOrLimits, shared: SharedParts, runtime: Runtime): RateLimiter => {
  if (options.limiter !== undefined) return options.limiter
  const {
    limits,
    resources,
    roles,
    limitsFor,
    priorityOf,
    revision,
    name,
    store,
    onUnavailable,
    leaseTtlMs,
  } = options
  const given = {
    limits,
    resources,
    roles,
    limitsFor,
    priorityOf,
    revision,
    name,
    store,
    onUnavailable,
    leaseTtlMs,
  }
  return createLimiterOf({ ...shared, ...withoutUndefined(given) }, runtime)
}

const reportOf = <Native>(
  { onWarning, onDenied, shadow = false }: RateLimitOptions<Native>,
  shared: SharedParts,
): Report | undefined =>
  onWarning || onDenied || shadow ? createReport({ ...shared, onWarning, onDenied }, shadow) : undefined
