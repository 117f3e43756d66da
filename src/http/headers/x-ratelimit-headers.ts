import { smaller } from '../../core/algorithms/integers.ts'
import type { LimitState } from '../../core/deciding/decision.ts'
import { ceilMs } from './go-duration.ts'
import { tightestRequests, tightestTokens } from './tightest-limit.ts'

/**
 * X-RateLimit, for older clients: the caller's own limits, whatever its parents have. `now`: ns since the epoch.
 * Reset is when the limit on requests (on tokens where there is no other) is full again.
 */
export const xRateLimitHeaders = (
  limits: readonly LimitState[],
  now: bigint,
): Readonly<Record<string, string>> => {
  const own = limits.filter((state) => state.own)
  const requests = tightestRequests(own)
  const tokens = tightestTokens(own)
  const first = requests ?? tokens
  return {
    ...(requests && {
      'x-ratelimit-limit': String(requests.capacity),
      'x-ratelimit-remaining': String(requests.available),
    }),
    ...(tokens && {
      'x-ratelimit-limit-tpm': String(tokens.capacity),
      'x-ratelimit-remaining-tpm': String(tokens.available),
    }),
    ...(first && { 'x-ratelimit-reset': isoTime(now + first.resetNs) }),
  }
}

/** The end of the year 9999: a debt that lasts longer than dates go would have none. */
const LATEST_MS = 253_402_300_799_999n

const isoTime = (ns: bigint): string => new Date(Number(smaller(ceilMs(ns), LATEST_MS))).toISOString()
