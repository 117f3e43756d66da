import { SECOND_NS } from '../model/time.ts'
import type { Clock } from './platform.ts'

const QUIET_NS = 60n * SECOND_NS

/**
 * For an event that may come any number of times: calls `log` for the first one, and then at most once a minute, with the
 * number of events since the last call.
 */
export const createOnceAMinute = (
  clock: Pick<Clock, 'monotonic'>,
): ((log: (count: number) => void) => void) => {
  let count = 0
  let loggedAtNs: bigint | undefined
  return (log) => {
    count++
    const now = clock.monotonic()
    if (loggedAtNs !== undefined && now - loggedAtNs < QUIET_NS) return
    loggedAtNs = now
    log(count)
    count = 0
  }
}
