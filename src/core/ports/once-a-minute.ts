import { MINUTE_NS } from '../model/time.ts'
import type { CacheFactory, Clock } from './platform.ts'

const QUIET_NS = MINUTE_NS

/**
 * Limits how often an event is logged: calls `log` for the first event, and then at most once per minute, with the number of
 * events since the last call.
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

/** Beyond this many subjects, the least recently logged one is dropped. */
const MAX_SUBJECTS = 10_000

interface Acted {
  /** Monotonic clock, ns. */
  atNs: bigint
  /** Events since then. */
  suppressed: number
}

/** As `createOnceAMinute`, per subject: `act` receives the number of events suppressed since its last call. */
export const createSampling = (
  {
    clock,
    newCache,
  }: { readonly clock: Pick<Clock, 'monotonic' | 'moment'>; readonly newCache: CacheFactory },
  quietNs = QUIET_NS,
): ((subject: string, act: (suppressed: number) => void) => void) => {
  const acted = newCache<Acted>({ max: MAX_SUBJECTS })
  return (subject, act) => {
    const last = acted.get(subject)
    const now = clock.moment?.().monotonic ?? clock.monotonic()
    if (last !== undefined && now - last.atNs < quietNs) {
      last.suppressed++
      return
    }
    acted.set(subject, { atNs: now, suppressed: 0 })
    act(last?.suppressed ?? 0)
  }
}
