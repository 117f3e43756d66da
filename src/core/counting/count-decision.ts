import type { BucketId } from '../bucket/bucket-id.ts'
import type { Decision } from '../deciding/decision.ts'
import type { Clock } from '../ports/clock.ts'
import type { Metrics } from '../ports/metrics.ts'
import type { Tally } from './tally.ts'

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
    tally.add(state.bucket, { [`denied_${state.limit.name}`]: 1 }, waits)
}
