import { amountText } from '../../parts/numbers/amount-text.ts'
import { isPaused } from '../../parts/numbers/load.ts'
import type { Violation } from '../running/outcome.ts'

/** `tpm of key-bob`, `rph of MODEL_TIER free` */
const nameOf = ({ limit_name, entity_id }: Violation): string =>
  `${limit_name} of ${entity_id.replace(/^POLICY:([^:]+):/, '$1 ')}`

/** Why no waiting helps, per limit that says so. */
export const neverReasons = (
  violations: readonly Violation[],
  meterOf: (violation: Violation) => string | undefined,
): readonly string[] =>
  violations
    .filter(({ retry_after_seconds }) => retry_after_seconds === null)
    .map((violation) => {
      if (isPaused(violation.capacity)) return `${nameOf(violation)} is paused: its size is 0.`
      const meter = meterOf(violation)
      const [requested, capacity] = [
        amountText(meter, violation.requested),
        amountText(meter, violation.capacity),
      ]
      return violation.requested > violation.capacity
        ? `It requests ${requested}, but ${nameOf(violation)} allows at most ${capacity}.`
        : `It requests ${requested}, more than this caller can ever use of ${nameOf(violation)} (${capacity}): the rest is reserved for higher priorities.`
    })
