import type { StoreUnavailable } from '../../../core/errors.ts'
import type { Clock } from '../../../core/ports/clock.ts'
import type { Logger } from '../../../core/ports/logger.ts'

const QUIET_NS = 60_000_000_000n

/** Where calls go, in the words of logs. */
export interface StoreAddress {
  readonly table: string
  readonly region: string
  readonly endpoint?: string
}

/** Logs failed calls to the store: one line at first, and at most one a minute after that. */
export interface FailureLog {
  failed(error: StoreUnavailable, address: () => Promise<StoreAddress>): void
}

interface Line {
  /** Failures since the last line. */
  count: number
  /** By the monotonic clock; undefined: none yet. */
  loggedAtNs: bigint | undefined
}

/**
 * A failure log, which several clients of one table may share. A throttled call is a warning with lines of its own: the
 * store is there, and only takes no more for a moment.
 */
export const createFailureLog = (clock: Clock, logger: Logger): FailureLog => {
  const unavailable: Line = { count: 0, loggedAtNs: undefined }
  const throttled: Line = { count: 0, loggedAtNs: undefined }

  const isDue = (line: Line): boolean => {
    line.count++
    const now = clock.monotonic()
    if (line.loggedAtNs !== undefined && now - line.loggedAtNs < QUIET_NS) return false
    line.loggedAtNs = now
    return true
  }

  return {
    failed(error, address) {
      const line = error.isThrottled ? throttled : unavailable
      if (!isDue(line)) return
      const { count } = line
      line.count = 0
      void address().then((where) => {
        const fields = { ...where, reason: error.reason, failures: count }
        if (error.isThrottled) logger.warn('store throttled', fields)
        else logger.error('store unavailable', fields)
      })
    },
  }
}
