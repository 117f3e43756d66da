import type { Denied, Violation } from '../core/decide/decision.ts'
import { MS_NS, roundedUp } from '../core/model/time.ts'

/** Seconds with the precision of a millisecond, rounded up: whoever waits that long has waited long enough. */
export const secondsOf = (ns: bigint): number => Number(roundedUp(ns, MS_NS)) / 1000

/** One violated limit, as every 429 and every check lists it. */
export const violationJson = ({ state, requested, retryAfterNs }: Violation) => ({
  limit_name: state.limit.name,
  entity_id: state.entityId,
  resource: state.resource,
  available: state.available,
  requested,
  capacity: state.capacity,
  retry_after_seconds: retryAfterNs === null ? null : secondsOf(retryAfterNs),
})

/** What a 429 says beside `error`, in either shape. */
export const denialFields = (denied: Denied) => ({
  message: `Rate limit exceeded for limits: ${limitNames(denied).join(', ')}`,
  retry_after_seconds: denied.retryAfterNs === null ? null : secondsOf(denied.retryAfterNs),
  violations: denied.violations.map(violationJson),
  ...degradedField(denied),
})

/** Said where a part of the answer was given without the store. */
export const degradedField = ({ degraded }: Pick<Denied, 'degraded'>) => degraded && { degraded }

/** The body of a 429 outside `/v1`. */
export const flatDenial = (denied: Denied) => ({ error: 'rate_limit_exceeded', ...denialFields(denied) })

const limitNames = (denied: Denied): readonly string[] => [
  ...new Set(denied.violations.map(({ state }) => state.limit.name)),
]
