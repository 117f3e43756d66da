import { TooManyRequests } from '../core/model/errors.ts'
import { MINUTE_NS } from '../core/model/time.ts'
import type { Cache, CacheFactory, Clock } from '../core/ports/platform.ts'
import { secondsOf } from '../web/denial-json.ts'

/** Counts events per subject in this process. */
export interface MinuteBound {
  /** Counts an event. Throws `TooManyRequests` if the subject has had too many within the minute. */
  record(subject: string): void
  /** How many events of the subject count now. */
  countOf(subject: string): number
}

interface Events {
  readonly since: bigint
  readonly count: number
}

interface MinuteBoundOptions {
  readonly clock: Pick<Clock, 'monotonic'>
  readonly caches: CacheFactory
  readonly mostPerMinute: number
  /** The message of the error. */
  readonly message: string
}

/** Bounds the memory: with more subjects than this, those that were idle longest are forgotten. */
const MAX_SUBJECTS = 10_000

export const createMinuteBound = (options: MinuteBoundOptions): MinuteBound => {
  const { clock, caches, mostPerMinute, message } = options
  const subjects: Cache<Events> = caches({ max: MAX_SUBJECTS })
  const currentOf = (subject: string, now: bigint): Events => {
    const known = subjects.get(subject)
    return known !== undefined && now - known.since < MINUTE_NS ? known : { since: now, count: 0 }
  }
  return {
    countOf: (subject) => currentOf(subject, clock.monotonic()).count,
    record(subject) {
      const now = clock.monotonic()
      const current = currentOf(subject, now)
      if (current.count >= mostPerMinute)
        throw new TooManyRequests(message, secondsOf(current.since + MINUTE_NS - now))
      subjects.set(subject, { since: current.since, count: current.count + 1 })
    },
  }
}
