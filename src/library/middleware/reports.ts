import { limitKey, type Warning, warningsOf } from '../../core/decide/decision-log.ts'
import { usedShare } from '../../core/decide/limit-state.ts'
import { createSampling } from '../../core/ports/once-a-minute.ts'
import type { Clock, Logger } from '../../core/ports/platform.ts'
import { lruCaches } from '../../platform/runtime.ts'
import { exactDecision, type LimitUse, limitUse, type RateLimitDecision } from '../limiter/rate-limiter.ts'

/** A limit that is used by its `warn_at` (80 %) or more, or one of mode `warn` or `shadow` that a request exceeds. */
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
export type MiddlewareMetric = 'shadow_denied' | 'bypassed'

/** Who is told; the limiter itself writes the log and counts the metrics of limits. */
export interface Audience {
  readonly logger: Logger
  readonly metrics: { count(name: MiddlewareMetric): void }
  readonly clock: Clock
  readonly onWarning: ((warning: LimitWarning) => void) | undefined
  readonly onDenied: ((denial: Denial) => void) | undefined
}

/** Tells of one decision. */
export type Report = (key: string, decision: RateLimitDecision) => void

/** The callback is called for one limit of one key, and a key that a shadow passed is logged, at most once a minute. */
export const createReport = (audience: Audience, isShadow: boolean): Report => {
  const { logger, metrics, onWarning, onDenied } = audience
  const sampled = createSampling({ clock: audience.clock, newCache: lruCaches })
  const warn = (key: string, warning: Warning): void => {
    sampled(`${warning.kind}#${limitKey(warning.state)}#${key}`, () =>
      tell(logger, () => onWarning?.(limitWarning(key, warning))),
    )
  }
  const deny = (denial: Denial): void => {
    tell(logger, () => onDenied?.(denial))
    if (!denial.shadow) return
    metrics.count('shadow_denied')
    const limits = denial.decision.violations.map(({ name }) => name)
    sampled(`shadow#${denial.key}`, () =>
      logger.warn('A request would have been refused', { key: denial.key, limits }),
    )
  }
  return (key, described) => {
    for (const warning of warningsOf(exactDecision(described).decision)) warn(key, warning)
    if (!described.allowed) deny({ key, decision: described, shadow: isShadow })
  }
}

const limitWarning = (key: string, { kind, state }: Warning): LimitWarning => ({
  key,
  limit: limitUse(state),
  percent: Math.floor(100 * usedShare(state)),
  exceeded: kind === 'exceeded',
})

/** A callback that fails is no reason to fail the request. */
const tell = (logger: Logger, callback: () => void): void => {
  try {
    callback()
  } catch (error) {
    logger.error('A callback of the rate limit failed', { reason: String(error) })
  }
}
