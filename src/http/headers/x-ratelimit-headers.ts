import type { LimitState, Violation } from '../../core/decide/decision.ts'
import { smaller } from '../../core/model/time.ts'
import { ceilMs, ceilSeconds } from './go-duration.ts'
import type { Headers } from './headers.ts'
import { describedRequests, describedTokens } from './tightest-limit.ts'

/** The value of X-RateLimit-Reset. `resetNs`: ns until the limit is full again. */
export type ResetText = (resetNs: bigint) => string

/** Whole seconds, rounded up: `30`. */
export const resetInSeconds: ResetText = (resetNs) => String(ceilSeconds(resetNs))

/** A time: `2026-01-01T00:00:30.000Z`. `now`: ns since the epoch. */
export const resetAsIso =
  (now: bigint): ResetText =>
  (resetNs) =>
    isoTime(now + resetNs)

/**
 * X-RateLimit, for older clients: the same limits as OpenAI's headers.
 * Reset is when the limit on requests (on tokens where there is no other) is full again.
 */
export const addXRateLimit = (
  headers: Headers,
  limits: readonly LimitState[],
  resetOf: ResetText,
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
  if (first) headers['x-ratelimit-reset'] = resetOf(first.resetNs)
}

/** The end of the year 9999: a debt that lasts longer than dates go would have none. */
const LATEST_MS = 253_402_300_799_999n

const isoTime = (ns: bigint): string => new Date(Number(smaller(ceilMs(ns), LATEST_MS))).toISOString()
