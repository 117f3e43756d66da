import { TooManyRequests } from '../../core/model/errors.ts'
import type { Cache, CacheFactory, Clock } from '../../core/ports/platform.ts'
import { secondsOf } from '../../web/denial-json.ts'

/** Counts failed authentications per address. */
export interface FailureLimiter {
  /** Notes a failure. Throws `TooManyRequests` where the address has had too many within the minute. */
  failed(address: string): void
}

interface Failures {
  readonly since: bigint
  readonly count: number
}

const TOO_MANY = 'Too many failed authentications from this address'
const MOST_A_MINUTE = 60
const MINUTE_NS = 60_000_000_000n
/** Bounds the memory; an attacker with more addresses than this is no longer limited by address. */
const ADDRESSES = 10_000

export const createFailureLimiter = (clock: Clock, caches: CacheFactory): FailureLimiter => {
  const addresses: Cache<Failures> = caches({ max: ADDRESSES })
  return {
    failed(address) {
      const now = clock.monotonic()
      const known = addresses.get(address)
      const current = known !== undefined && now - known.since < MINUTE_NS ? known : { since: now, count: 0 }
      if (current.count >= MOST_A_MINUTE) {
        throw new TooManyRequests(TOO_MANY, secondsOf(current.since + MINUTE_NS - now))
      }
      addresses.set(address, { since: current.since, count: current.count + 1 })
    },
  }
}
