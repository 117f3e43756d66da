import { MINUTE_NS } from '../model/time.ts'
import type { CacheFactory, Clock } from './platform.ts'

const QUIET_NS = MINUTE_NS

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

/** Beyond so many subjects, the one that was acted on least recently is forgotten. */
const MAX_SUBJECTS = 10_000

interface Acted {
  /** By the monotonic clock. */
  readonly atNs: bigint
  /** Events since then. */
  readonly suppressed: number
}

/** As `createOnceAMinute`, for each subject by itself: `act` gets the number of events left out since its last call. */
export const createSampling = (
  { clock, newCache }: { readonly clock: Pick<Clock, 'monotonic'>; readonly newCache: CacheFactory },
  quietNs = QUIET_NS,
): ((subject: string, act: (suppressed: number) => void) => void) => {
  const acted = newCache<Acted>({ max: MAX_SUBJECTS })
  return (subject, act) => {
    const [last, now] = [acted.get(subject), clock.monotonic()]
    if (last !== undefined && now - last.atNs < quietNs) {
      acted.set(subject, { ...last, suppressed: last.suppressed + 1 })
      return
    }
    acted.set(subject, { atNs: now, suppressed: 0 })
    act(last?.suppressed ?? 0)
  }
}
