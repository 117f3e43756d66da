import type { Denied } from '../../core/decide/decision.ts'
import { ceilMs, ceilSeconds } from './go-duration.ts'
import type { Headers } from './headers.ts'
import { isQuota } from './quota.ts'

/**
 * What a 429 says of trying again. Official SDKs read `retry-after-ms` before `retry-after`; `x-should-retry: false`
 * stops their own retries, where waiting cannot help or takes a day.
 */
export const addRetry = (headers: Headers, { retryAfterNs, violations }: Denied): void => {
  if (retryAfterNs === null || violations.some(isQuota)) headers['x-should-retry'] = 'false'
  if (retryAfterNs === null) return
  const seconds = ceilSeconds(retryAfterNs)
  headers['retry-after-ms'] = String(ceilMs(retryAfterNs))
  headers['retry-after'] = String(seconds < 1n ? 1n : seconds)
}
