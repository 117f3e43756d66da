import { SECOND_NS } from '../algorithms/integers.ts'
import type { Decision, Violation } from '../deciding/decision.ts'
import type { CacheFactory } from '../ports/cache.ts'
import type { Clock } from '../ports/clock.ts'
import type { Logger } from '../ports/logger.ts'
import type { Metrics } from '../ports/metrics.ts'
import { denialOf, evaluationOf, evaluationsOf, limitKey } from './evaluations.ts'
import { createOnceAMinute } from './once-a-minute.ts'
import { type Warning, warningsOf } from './warnings.ts'

/** Told of every decision that was not a dry run. */
export type DecisionLog = (decision: Decision) => void

export interface DecisionLogDependencies {
  readonly logger: Logger
  readonly metrics: Metrics
  readonly clock: Clock
  readonly newCache: CacheFactory
}

/** A limit that goes on denying is spoken of once in this time. */
const QUIET_NS = 10n * SECOND_NS
/** Limits of which it is known when they were last spoken of. */
const MOST_KNOWN = 10_000

interface Spoken {
  /** By the steady clock. */
  readonly atNs: bigint
  /** Denials since then. */
  readonly suppressed: number
}

/**
 * Writes each limit that a decision looked at as a line at debug level, and each limit that denied at warn: of the same
 * limit of the same bucket at most one in ten seconds, with the number of those left out since the last. Limits that are
 * nearly used up, or exceeded without denying, are counted, and told of as sparely. Decisions without the store are one
 * line a minute with their number.
 */
export const createDecisionLog = (deps: DecisionLogDependencies): DecisionLog => {
  const { logger, metrics } = deps
  const sampled = createSampling(deps)

  const deny = (violation: Violation): void =>
    sampled(`denied#${limitKey(violation.state)}`, (suppressed) =>
      logger.warn('A limit denied', { ...denialOf(violation), suppressed }),
    )

  const caution = ({ kind, state }: Warning): void => {
    metrics.count(kind === 'near' ? 'limits_near' : 'limits_exceeded')
    sampled(`${kind}#${limitKey(state)}`, (suppressed) =>
      kind === 'near'
        ? logger.info('A limit is nearly used up', { ...evaluationOf(state), suppressed })
        : logger.warn('A limit would have denied', {
            ...evaluationOf(state),
            mode: state.limit.mode,
            suppressed,
          }),
    )
  }

  const allowedWithoutStore = createOnceAMinute(deps.clock)
  const deniedWithoutStore = createOnceAMinute(deps.clock)
  const logDegraded = ({ allowed, unavailableCause: reason }: Decision): void =>
    allowed
      ? allowedWithoutStore((count) => logger.warn('requests allowed without the store', { count, reason }))
      : deniedWithoutStore((count) => logger.warn('requests denied without the store', { count, reason }))

  return (decision) => {
    if (decision.degraded) logDegraded(decision)
    if (logger.isDebugOn !== false) {
      const { allowed } = decision
      for (const evaluation of evaluationsOf(decision))
        logger.debug('A limit was evaluated', { ...evaluation, allowed })
    }
    if (!decision.allowed) decision.violations.forEach(deny)
    warningsOf(decision).forEach(caution)
  }
}

type Sampling = (subject: string, speak: (suppressed: number) => void) => void

const createSampling = ({ clock, newCache }: DecisionLogDependencies): Sampling => {
  const spoken = newCache<Spoken>({ max: MOST_KNOWN })
  return (subject, speak) => {
    const [last, now] = [spoken.get(subject), clock.monotonic()]
    if (last !== undefined && now - last.atNs < QUIET_NS) {
      spoken.set(subject, { ...last, suppressed: last.suppressed + 1 })
      return
    }
    spoken.set(subject, { atNs: now, suppressed: 0 })
    speak(last?.suppressed ?? 0)
  }
}
