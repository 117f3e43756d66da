import type { StoreUnavailable } from '../../../core/model/errors.ts'
import { createOnceAMinute } from '../../../core/ports/once-a-minute.ts'
import type { Clock, Logger } from '../../../core/ports/platform.ts'

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

/**
 * A failure log, which several clients of one table may share. A throttled call is a warning with lines of its own: the
 * store is there, and only takes no more for a moment.
 */
export const createFailureLog = (clock: Clock, logger: Logger): FailureLog => {
  const unavailable = createOnceAMinute(clock)
  const throttled = createOnceAMinute(clock)
  return {
    failed(error, address) {
      const sampled = error.isThrottled ? throttled : unavailable
      sampled(async (failures) => {
        const fields = { ...(await address()), reason: error.reason, failures }
        if (error.isThrottled) logger.warn('store throttled', fields)
        else logger.error('store unavailable', fields)
      })
    },
  }
}
