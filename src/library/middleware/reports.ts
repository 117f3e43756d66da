import type { Cache } from '../../core/ports/cache.ts'
import type { Clock } from '../../core/ports/clock.ts'
import type { Logger } from '../../core/ports/logger.ts'
import { lruCaches } from '../../platform/lru-caches.ts'
import type { LimitUse, RateLimitDecision } from '../limiter/rate-limiter.ts'

/** A limit that is nearly used up, or one of mode `warn` or `shadow` that a request exceeds. */
export interface LimitWarning {
  readonly key: string
  readonly limit: LimitUse
  /** 0 to 100, rounded down */
  readonly percent: number
  /** True: the limit would have refused the request, were it enforced. */
  readonly exceeded: boolean
}

/** A request that was refused, or would have been. */
export interface Denial {
  readonly key: string
  readonly decision: RateLimitDecision
  /** True: it passed all the same, as the middleware only watches. */
  readonly shadow: boolean
}

/** What the middleware counts beside what the limiter does. */
export type MiddlewareMetric = 'near_limit' | 'shadow_denied' | 'bypassed'

/** Who is told. */
export interface Audience {
  readonly logger: Logger
  readonly metrics: { count(name: MiddlewareMetric): void }
  readonly clock: Clock
  readonly onWarning: ((warning: LimitWarning) => void) | undefined
  readonly onDenied: ((denial: Denial) => void) | undefined
}

/** Tells of limits that are nearly used up and of refusals. */
export interface Reports {
  /** All limits of a decision that are exceeded without refusing, or used by `warnAt` (their own comes first) or more. */
  warnings(key: string, decision: RateLimitDecision): readonly LimitWarning[]
  denial(denial: Denial): void
}

/** The log and the callback hear of one limit of one key once a minute; the metric counts every time. */
const REPEAT_AFTER_NS = 60_000_000_000n
const MAX_REMEMBERED = 10_000

export const createReports = (audience: Audience, warnAt: number): Reports => {
  const { logger, metrics } = audience
  const isDue = createSampling(audience.clock)
  const warn = (warning: LimitWarning): void => {
    const { key, limit } = warning
    metrics.count('near_limit')
    if (!isDue(`near#${limit.entityId}#${limit.resource}#${limit.name}#${key}`)) return
    const what = warning.exceeded ? 'A limit that refuses nothing is exceeded' : 'A limit is nearly used up'
    logger.warn(what, { key, limit: limit.name, percent: warning.percent })
    tell(logger, () => audience.onWarning?.(warning))
  }
  return {
    warnings(key, decision) {
      const warnings = decision.limits
        .map((limit) => warningOf(key, limit, decision))
        .filter(({ limit, exceeded }) => exceeded || limit.used >= limit.capacity * (limit.warnAt ?? warnAt))
      for (const warning of warnings) warn(warning)
      return warnings
    },
    denial(denial) {
      const { key, decision, shadow } = denial
      if (shadow) {
        metrics.count('shadow_denied')
        const limits = decision.violations.map(({ name }) => name)
        if (isDue(`denied#${key}`)) logger.warn('A request would have been refused', { key, limits })
      }
      tell(logger, () => audience.onDenied?.(denial))
    },
  }
}

const warningOf = (key: string, limit: LimitUse, { reported }: RateLimitDecision): LimitWarning => ({
  key,
  limit,
  percent: Math.floor((100 * limit.used) / limit.capacity),
  exceeded: reported.some(
    ({ name, entityId, resource }) =>
      name === limit.name && entityId === limit.entityId && resource === limit.resource,
  ),
})

/** A callback that fails is no reason to fail the request. */
const tell = (logger: Logger, callback: () => void): void => {
  try {
    callback()
  } catch (error) {
    logger.error('A callback of the rate limit failed', { reason: String(error) })
  }
}

const createSampling = (clock: Clock): ((subject: string) => boolean) => {
  const told: Cache<{ readonly at: bigint }> = lruCaches({ max: MAX_REMEMBERED })
  return (subject) => {
    const now = clock.monotonic()
    const last = told.get(subject)
    if (last !== undefined && now - last.at < REPEAT_AFTER_NS) return false
    told.set(subject, { at: now })
    return true
  }
}

/** `rpm;used=8;limit=10, tpm;used=900;limit=1000`: the key's own, those of mode `shadow` left out. */
export const warningHeader = (warnings: readonly LimitWarning[]): Readonly<Record<string, string>> => {
  const own = warnings.filter(({ limit }) => limit.own && limit.mode !== 'shadow')
  if (own.length === 0) return {}
  const items = own.map(({ limit }) => `${limit.name};used=${limit.used};limit=${limit.capacity}`)
  return { 'x-ratelimit-warning': items.join(', ') }
}
