import { limitKey, type Warning, warningsOf } from '../../core/decide/decision-log.ts'
import { usedShare } from '../../core/decide/limit-state.ts'
import { createSampling } from '../../core/ports/once-a-minute.ts'
import type { Clock, Logger } from '../../core/ports/platform.ts'
import { lruCaches } from '../../platform/runtime.ts'
import { exactDecision, type LimitUse, limitUse, type RateLimitDecision } from '../limiter/rate-limiter.ts'

/** A limit that is used to its `warn_at` (80 %) or beyond, or a limit of mode `warn` or `shadow` that a request exceeds. */
export interface LimitWarning {
  readonly key: string
  readonly limit: LimitUse
  /** 0 to 100, rounded down */
  readonly percent: number
  /** True: if enforced, the limit would have denied the request. */
  readonly exceeded: boolean
}

/** A request that was denied, or would have been. */
export interface Denial {
  readonly key: string
  readonly decision: RateLimitDecision
  /** True: the request passed, because the middleware is in shadow mode. */
  readonly shadow: boolean
}

/** Metrics of the middleware, in addition to those of the limiter. */
export type MiddlewareMetric = 'shadow_denied' | 'bypassed'

/** Where decisions are reported; the limiter itself logs and counts the use of limits. */
export interface ReportTargets {
  readonly logger: Logger
  readonly metrics: { count(name: MiddlewareMetric): void }
  readonly clock: Clock
  readonly onWarning: ((warning: LimitWarning) => void) | undefined
  readonly onDenied: ((denial: Denial) => void) | undefined
}

/** Reports one decision. */
export type Report = (key: string, decision: RateLimitDecision) => void

/** At most once a minute: `onWarning` for each limit of a key, and the log line for each key that passed in shadow mode. */
export const createReport = (targets: ReportTargets, isShadow: boolean): Report => {
  const { logger, metrics, onWarning, onDenied } = targets
  const sampled = createSampling({ clock: targets.clock, newCache: lruCaches })
  const warn = (key: string, warning: Warning): void => {
    sampled(`${warning.kind}#${limitKey(warning.state)}#${key}`, () =>
      callSafely(logger, () => onWarning?.(limitWarning(key, warning))),
    )
  }
  const deny = (denial: Denial): void => {
    callSafely(logger, () => onDenied?.(denial))
    if (!denial.shadow) return
    metrics.count('shadow_denied')
    const limits = denial.decision.violations.map(({ name }) => name)
    sampled(`shadow#${denial.key}`, () =>
      logger.warn('request would have been denied', { key: denial.key, limits }),
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

/** A request does not fail because a callback does. */
const callSafely = (logger: Logger, callback: () => void): void => {
  try {
    callback()
  } catch (error) {
    logger.error('callback failed', { reason: String(error) })
  }
}
