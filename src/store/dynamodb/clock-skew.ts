import { StoreUnavailable } from '../../core/model/errors.ts'
import { MS_NS, SECOND_NS } from '../../core/model/time.ts'
import { createOnceAMinute } from '../../core/ports/once-a-minute.ts'
import type { Clock, Logger } from '../../core/ports/platform.ts'
import { sharedRead } from '../../core/ports/shared-read.ts'

/** A larger skew is logged, and after a larger step of the clock it is measured again. */
const NOTABLE_NS = SECOND_NS

/** How long the clock stays untrusted before it is measured again. */
const UNTRUSTED_NS = SECOND_NS

/** The state of this machine's clock, compared with that of the store. */
export type ClockTrust = 'trusted' | 'untrusted' | 'unknown'

export interface ClockSkew {
  /** Takes one response: the times when the request was sent and the response received, and the `Date` header. */
  observe(sentAt: bigint, receivedAt: bigint, date: string | undefined): void
  /** `unknown`: not yet measured, or the clock has been set since, or it has been untrusted for a second. */
  trust(): ClockTrust
  /** ns that this clock is ahead (negative: behind); the value nearest to 0 that the responses permit. */
  skewNs(): bigint
  /** The largest difference that is trusted, ms. */
  readonly maxMs: number
}

interface Bounds {
  /** Least and greatest time that the clock is ahead, ns. */
  readonly low: bigint
  readonly high: bigint
}

/**
 * `Date` is a whole second, so a response bounds the skew to one second plus the duration of the call. The bounds of several
 * responses are intersected; if they contradict each other, the clock has been set, and the newest bounds apply.
 */
export const createClockSkew = (options: {
  readonly clock: Clock
  readonly maxClockSkewMs: number
  readonly logger: Logger
}): ClockSkew => {
  const { clock, logger } = options
  const maxNs = BigInt(options.maxClockSkewMs) * MS_NS
  let bounds: Bounds | undefined
  let offset: bigint | undefined
  let observedAt = 0n

  const skewNs = (): bigint => (bounds === undefined ? 0n : nearestToZero(bounds))

  const warnOnceAMinute = createOnceAMinute(clock)
  const warn = (): void =>
    warnOnceAMinute(() => logger.warn('clock differs from the store', { skew_ms: Number(skewNs() / MS_NS) }))

  return {
    observe(sentAt, receivedAt, date) {
      observedAt = clock.monotonic()
      offset = receivedAt - observedAt
      const seconds = date === undefined ? Number.NaN : Date.parse(date)
      if (Number.isNaN(seconds)) return
      const stamp = BigInt(seconds) * MS_NS
      bounds = narrowed(bounds, { low: sentAt - stamp - SECOND_NS, high: receivedAt - stamp })
      if (magnitude(skewNs()) > NOTABLE_NS) warn()
    },
    trust() {
      if (offset === undefined) return 'unknown'
      const now = clock.monotonic()
      if (magnitude(clock.now() - now - offset) > NOTABLE_NS) return 'unknown'
      if (magnitude(skewNs()) <= maxNs) return 'trusted'
      return now - observedAt > UNTRUSTED_NS ? 'unknown' : 'untrusted'
    },
    skewNs,
    maxMs: options.maxClockSkewMs,
  }
}

const narrowed = (previous: Bounds | undefined, observed: Bounds): Bounds => {
  if (previous === undefined) return observed
  const low = previous.low > observed.low ? previous.low : observed.low
  const high = previous.high < observed.high ? previous.high : observed.high
  return low <= high ? { low, high } : observed
}

const nearestToZero = ({ low, high }: Bounds): bigint => {
  if (low > 0n) return low
  return high < 0n ? high : 0n
}

const magnitude = (value: bigint): bigint => (value < 0n ? -value : value)

interface SkewReport {
  readonly skew: ClockSkew
  /** Logs the error and returns it. */
  reported(error: StoreUnavailable): StoreUnavailable
}

/**
 * Checks this machine's clock before a time is written: one request from a clock that is an hour ahead would block a limit for
 * an hour. `readStore` is any read, whose response contains the time of the store; it is called only if the clock has not been
 * measured, or has been set since. Throws `StoreUnavailable` (not applied).
 */
export const createClockCheck = (
  { skew, reported }: SkewReport,
  readStore: () => Promise<unknown>,
): (() => Promise<void>) => {
  const measure = sharedRead(async () => {
    try {
      await readStore()
    } catch (cause) {
      throw new StoreUnavailable('The clock of the store could not be read', { mayHaveApplied: false, cause })
    }
  }, 0)

  return async () => {
    if (skew.trust() === 'unknown') await measure()
    if (skew.trust() === 'untrusted') throw reported(clockError(skew))
  }
}

/** The reason contains the difference and the bound. */
const clockError = (skew: ClockSkew): StoreUnavailable =>
  new StoreUnavailable("This machine's clock differs too much from the store's", {
    mayHaveApplied: false,
    isClockOff: true,
    reason: `the clock of this machine is ${secondsText(skew.skewNs())} the store's; at most ${skew.maxMs} ms are allowed`,
  })

/** `30.0 s ahead of`, `12.5 s behind` */
const secondsText = (skewNs: bigint): string => {
  const seconds = Math.abs(Number(skewNs / 100_000_000n)) / 10
  return `${seconds.toFixed(1)} s ${skewNs > 0n ? 'ahead of' : 'behind'}`
}
