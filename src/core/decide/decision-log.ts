import { type BucketId, bucketKey } from '../bucket/bucket-store.ts'
import { deniedCounter, type Tally } from '../charge/counters.ts'
import { nearAmount } from '../model/limit.ts'
import { isNameScope, policyLabel, selectorText, tenantOfBucketKey } from '../model/policy.ts'
import { MS_NS, roundedUp, SECOND_NS } from '../model/time.ts'
import { createOnceAMinute, createSampling } from '../ports/once-a-minute.ts'
import type { CacheFactory, Clock, Logger, Metrics } from '../ports/platform.ts'
import type { Decision, LimitState, Violation } from './decision.ts'

/** Called with every decision that was not a dry run. */
export type DecisionLog = (decision: Decision) => void

export interface DecisionLogDependencies {
  readonly logger: Logger
  readonly metrics: Metrics
  readonly clock: Clock
  readonly newCache: CacheFactory
}

/** The least time between two log lines of the same limit. */
const QUIET_NS = 10n * SECOND_NS

/**
 * Logs each evaluated limit at debug level, and each limit that denied at warn level: at most one line per limit of a bucket
 * in ten seconds, with the number of lines suppressed since the last one. Limits that are nearly used up, or exceeded
 * without denying, are counted and logged at the same rate. Decisions without the store are logged once per minute, with
 * their number.
 */
export const createDecisionLog = (deps: DecisionLogDependencies): DecisionLog => {
  const { logger, metrics } = deps
  const sampled = createSampling(deps, QUIET_NS)

  const deny = (violation: Violation): void =>
    sampled(`denied#${subjectOf(violation.state)}`, (suppressed) =>
      logger.warn('limit denied', { ...denialOf(violation), suppressed }),
    )

  const caution = ({ kind, state }: Warning): void => {
    metrics.count(kind === 'near' ? 'limits_near' : 'limits_exceeded')
    sampled(`${kind}#${subjectOf(state)}`, (suppressed) =>
      kind === 'near'
        ? logger.info('limit nearly used up', { ...evaluationOf(state), suppressed })
        : logger.warn('limit would have denied', {
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
        logger.debug('limit evaluated', { ...evaluation, allowed })
    }
    if (!decision.allowed) decision.violations.forEach(deny)
    warningsOf(decision).forEach(caution)
  }
}

/** The state of one limit after a decision, as logged. Contains ids and numbers, never a secret. */
export interface Evaluation {
  /** `key-bob:gpt-4`; for a policy `USER_MODEL:ent-user-2:gpt-4o`. */
  readonly key: string
  /** `key-bob gpt-4`; for a policy `USER_MODEL ent-user-2:gpt-4o`. */
  readonly label: string
  readonly limitName: string
  /** The amount in use after the decision. */
  readonly count: number
  readonly limit: number
}

/** A limit that denied. */
export interface DenialEvaluation extends Evaluation {
  readonly requested: number
  /** As in `Violation`. */
  readonly factor?: number
  /** Rounded up; null: the request can never pass. */
  readonly retryAfterMs: number | null
}

/** Every limit that the decision evaluated. */
const evaluationsOf = ({ limits }: Pick<Decision, 'limits'>): readonly Evaluation[] =>
  limits.map(evaluationOf)

const denialOf = ({ state, requested, retryAfterNs, factor }: Violation): DenialEvaluation => ({
  ...evaluationOf(state),
  requested,
  ...(factor !== undefined && { factor }),
  retryAfterMs: retryAfterNs === null ? null : Number(roundedUp(retryAfterNs, MS_NS)),
})

/** A text that is unique to a limit of a bucket. */
export const limitKey = ({ bucket, limit }: LimitState): string => `${bucketKey(bucket)}#${limit.name}`

/** All users or sessions of a tenant are one subject of the log: a client may invent names. */
const subjectOf = (state: LimitState): string =>
  state.bucket.kind === 'policy' && isNameScope(state.bucket.scope)
    ? `${state.bucket.scope}#${tenantOfBucketKey(bucketKey(state.bucket))}#${state.limit.name}`
    : limitKey(state)

/** The state of one limit after a decision, for a log line. */
const evaluationOf = ({ bucket, limit, used, capacity }: LimitState): Evaluation => ({
  ...namesOf(bucket),
  limitName: limit.name,
  count: used,
  limit: capacity,
})

const namesOf = (bucket: BucketId): Pick<Evaluation, 'key' | 'label'> =>
  bucket.kind === 'policy'
    ? { key: `${bucket.scope}:${selectorText(bucket)}`, label: policyLabel(bucket) }
    : { key: `${bucket.entityId}:${bucket.resource}`, label: `${bucket.entityId} ${bucket.resource}` }

/** A limit that deserves attention although it has not denied. */
export interface Warning {
  /** `near`: at least its `warn_at` is in use. `exceeded`: a limit of mode `warn` or `shadow` would have denied. */
  readonly kind: 'near' | 'exceeded'
  readonly state: LimitState
}

/** The limits that are nearly used up, or exceeded without denying, after a decision; exceeded ones first. */
export const warningsOf = (decision: Decision): readonly Warning[] => {
  // read for every response, and most decisions have none
  if (decision.reported.length === 0 && !decision.limits.some(isNear)) return NO_WARNINGS
  const denied = decision.allowed ? [] : decision.violations
  const excluded = [...decision.reported, ...denied]
  const isExcluded = (state: LimitState): boolean => excluded.some((other) => isSameLimit(other.state, state))
  const near = decision.limits.filter((state) => isNear(state) && !isExcluded(state))
  return [
    ...decision.reported.map(({ state }): Warning => ({ kind: 'exceeded', state })),
    ...near.map((state): Warning => ({ kind: 'near', state })),
  ]
}

const NO_WARNINGS: readonly Warning[] = []

const isSameLimit = (a: LimitState, b: LimitState): boolean => a === b || limitKey(a) === limitKey(b)

const isNear = ({ used, capacity, limit }: LimitState): boolean => used >= nearAmount(limit, capacity)

/** Counts a decision: `denied` once on the caller's own bucket (policies alone have none), `denied_<limit>` on each bucket that denied. */
export const countDecision = (
  { metrics, tally, clock }: { readonly metrics: Metrics; readonly tally: Tally; readonly clock: Clock },
  decision: Decision,
  own?: BucketId,
): void => {
  metrics.count(decision.allowed ? 'decisions_allowed' : 'decisions_denied')
  if (decision.degraded) metrics.count('decisions_degraded')
  if (decision.allowed || decision.unavailable) return
  const waits = { isUse: false, nowNs: clock.monotonic() }
  if (own) tally.add(own, { denied: 1 }, waits)
  for (const { state } of decision.violations)
    tally.add(state.bucket, { [deniedCounter(state.limit.name)]: 1 }, waits)
}
