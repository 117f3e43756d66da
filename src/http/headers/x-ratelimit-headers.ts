import { smaller } from '../../core/algorithms/integers.ts'
import type { LimitState, Violation } from '../../core/deciding/decision.ts'
import { ceilMs } from './go-duration.ts'
import type { Headers } from './headers.ts'
import { describedRequests, describedTokens } from './tightest-limit.ts'

/**
 * X-RateLimit, for older clients: the same limits as OpenAI's headers. `now`: ns since the epoch.
 * Reset is when the limit on requests (on tokens where there is no other) is full again.
 */
export const addXRateLimit = (
  headers: Headers,
  limits: readonly LimitState[],
  now: bigint,
  violations: readonly Violation[] = [],
): void => {
  const requests = describedRequests(limits, violations)
  const tokens = describedTokens(limits, violations)
  const first = requests ?? tokens
  if (requests) {
    headers['x-ratelimit-limit'] = String(requests.capacity)
    headers['x-ratelimit-remaining'] = String(requests.available)
  }
  if (tokens) {
    headers['x-ratelimit-limit-tpm'] = String(tokens.capacity)
    headers['x-ratelimit-remaining-tpm'] = String(tokens.available)
  }
  if (first) headers['x-ratelimit-reset'] = isoTime(now + first.resetNs)
}

/** The end of the year 9999: a debt that lasts longer than dates go would have none. */
const LATEST_MS = 253_402_300_799_999n

const isoTime = (ns: bigint): string => new Date(Number(smaller(ceilMs(ns), LATEST_MS))).toISOString()
