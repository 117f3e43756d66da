import { SECOND_NS } from '../algorithms/integers.ts'
import type { Decision, Violation } from '../deciding/decision.ts'
import type { CacheFactory } from '../ports/cache.ts'
import type { Clock } from '../ports/clock.ts'
import type { Logger } from '../ports/logger.ts'
import { denialOf, evaluationsOf, limitKey } from './evaluations.ts'

/** Told of every decision that was not a dry run. */
export type DecisionLog = (decision: Decision) => void

export interface DecisionLogDependencies {
  readonly logger: Logger
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
 * limit of the same bucket at most one in ten seconds, with the number of those left out since the last.
 */
export const createDecisionLog = ({ logger, clock, newCache }: DecisionLogDependencies): DecisionLog => {
  const spoken = newCache<Spoken>({ max: MOST_KNOWN })

  const deny = (violation: Violation): void => {
    const [key, now] = [limitKey(violation.state), clock.monotonic()]
    const last = spoken.get(key)
    if (last !== undefined && now - last.atNs < QUIET_NS) {
      spoken.set(key, { ...last, suppressed: last.suppressed + 1 })
      return
    }
    spoken.set(key, { atNs: now, suppressed: 0 })
    logger.warn('A limit denied', { ...denialOf(violation), suppressed: last?.suppressed ?? 0 })
  }

  return (decision) => {
    if (logger.isDebugOn !== false) {
      const { allowed } = decision
      for (const evaluation of evaluationsOf(decision))
        logger.debug('A limit was evaluated', { ...evaluation, allowed })
    }
    if (!decision.allowed) decision.violations.forEach(deny)
  }
}
