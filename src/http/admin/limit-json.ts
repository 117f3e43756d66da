import type { LimitState } from '../../core/decide/decision.ts'
import type { BucketStatus, ExplainedBucket } from '../../core/decide/inspector.ts'
import { usedShare } from '../../core/decide/limit-state.ts'
import { limitToJson } from '../../core/model/parse-limit.ts'
import type { ExplainedLimit } from '../../core/resolve/effective-limits.ts'
import { secondsOf } from '../../web/denial-json.ts'

/** A limit in force, with where it came from. */
export const effectiveLimitJson = ({ limit, source }: Pick<ExplainedLimit, 'limit' | 'source'>) => ({
  ...limitToJson(limit),
  source,
})

/** A limit in force, and everything it overrode, nearest first. */
export const explainedLimitJson = (effective: ExplainedLimit) => ({
  name: effective.limit.name,
  winner: effectiveLimitJson(effective),
  overrides: effective.overrides.map(effectiveLimitJson),
})

/** A bucket that is charged beside the entity's own, with its limits. */
export const explainedBucketJson = ({ entityId, resource, limits }: ExplainedBucket) => ({
  entity_id: entityId,
  resource,
  limits: limits.map(explainedLimitJson),
})

/** The share of a limit that is used, in percent with one decimal. */
export const utilizationPercent = ({ used, capacity }: Pick<LimitState, 'used' | 'capacity'>): number =>
  Math.round(usedShare({ used, capacity }) * 1000) / 10

/** A bucket as people see it. */
export const availabilityJson = (
  entityId: string,
  { resource, limits }: Pick<BucketStatus, 'resource' | 'limits'>,
) => ({
  entity_id: entityId,
  resource,
  limits: limits.map((state) => ({
    name: state.limit.name,
    resource: state.resource,
    meter: state.limit.meter,
    algorithm: state.limit.size.algorithm,
    capacity: state.capacity,
    available: state.available,
    used: state.used,
    utilization_percent: utilizationPercent(state),
    reset_after_seconds: secondsOf(state.resetNs),
    source: state.source,
  })),
})
