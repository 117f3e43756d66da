import type { Denied, Violation } from '../core/decide/decision.ts'
import { MS_NS, roundedUp } from '../core/model/time.ts'

/** Seconds to the millisecond, rounded up, so that a wait of that length suffices. */
export const secondsOf = (ns: bigint): number => Number(roundedUp(ns, MS_NS)) / 1000

/** A violated limit in a 429 or a check's response. */
const violationJson = ({ state, requested, retryAfterNs }: Violation) => ({
  limit_name: state.limit.name,
  entity_id: state.entityId,
  resource: state.resource,
  available: state.available,
  requested,
  capacity: state.capacity,
  retry_after_seconds: retryAfterNs === null ? null : secondsOf(retryAfterNs),
})

/** The fields of a 429 beside `error`, in either error format. */
export const denialFields = (denied: Denied) => ({
  message: `Rate limit exceeded for limits: ${limitNames(denied).join(', ')}${pacedText(denied)}`,
  retry_after_seconds: denied.retryAfterNs === null ? null : secondsOf(denied.retryAfterNs),
  violations: denied.violations.map(violationJson),
  ...degradedField(denied),
})

/** For a denial by a share of the limits. */
const pacedText = ({ violations }: Denied): string =>
  violations.some(({ factor }) => factor !== undefined)
    ? ' (a share of them applies while the upstream of the model is at its own limit)'
    : ''

/** Present if a part of the decision was made without the store. */
export const degradedField = ({ degraded }: Pick<Denied, 'degraded'>) => degraded && { degraded }

/** The body of a 429 outside `/v1`. */
export const flatDenial = (denied: Denied) => ({ error: 'rate_limit_exceeded', ...denialFields(denied) })

const limitNames = (denied: Denied): readonly string[] => [
  ...new Set(denied.violations.map(({ state }) => state.limit.name)),
]
