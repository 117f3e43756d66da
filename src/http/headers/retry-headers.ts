import type { Denied } from '../../core/deciding/decision.ts'
import { ceilMs, ceilSeconds } from './go-duration.ts'
import { isQuota } from './quota.ts'

/**
 * What a 429 says of trying again. Official SDKs read `retry-after-ms` before `retry-after`; `x-should-retry: false`
 * stops their own retries, where waiting cannot help or takes a day.
 */
export const retryHeaders = (denied: Denied): Readonly<Record<string, string>> => {
  if (denied.retryAfterNs === null) return { 'x-should-retry': 'false' }
  const seconds = ceilSeconds(denied.retryAfterNs)
  return {
    'retry-after-ms': String(ceilMs(denied.retryAfterNs)),
    'retry-after': String(seconds < 1n ? 1n : seconds),
    ...(denied.violations.some(isQuota) && { 'x-should-retry': 'false' }),
  }
}
