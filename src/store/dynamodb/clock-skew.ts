import { StoreUnavailable } from '../../core/model/errors.ts'
import type { Clock, Logger } from '../../core/ports/platform.ts'

const SECOND_NS = 1_000_000_000n

const MS_NS = 1_000_000n

/** Beyond this a skew is worth a line in the log, and a step of the clock worth a new look. */
const NOTABLE_NS = SECOND_NS

/** How long a refusal stands before the clock is looked at again. */
const UNTRUSTED_NS = SECOND_NS

const WARN_EVERY_NS = 60n * SECOND_NS

/** What is known of this machine's clock, compared with the store's. */
export type ClockTrust = 'trusted' | 'refused' | 'unknown'

export interface ClockSkew {
  /** Learns from one answer: the clock when it was asked and when it came, and its `Date` header. */
  observe(sentAt: bigint, receivedAt: bigint, date: string | undefined): void
  /** `unknown`: never compared, or the clock has stepped since, or a refusal is due for another look. */
  trust(): ClockTrust
  /** ns that this clock is ahead (negative: behind); as near to 0 as the answers allow. */
  skewNs(): bigint
  /** The largest difference that is trusted, ms. */
  readonly maxMs: number
}

interface Bounds {
  /** The clock is ahead by no less and no more than this, ns. */
  readonly low: bigint
  readonly high: bigint
}

/**
 * `Date` names a whole second: an answer bounds the skew to a second and the time the call took. Bounds of several
 * answers together are narrower; where they contradict each other the clock has been set, and the newest ones stand.
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
  let warnedAt: bigint | undefined

  const skewNs = (): bigint => (bounds === undefined ? 0n : nearestToZero(bounds))

  const warn = (skew: bigint, at: bigint): void => {
    if (warnedAt !== undefined && at - warnedAt < WARN_EVERY_NS) return
    warnedAt = at
    logger.warn('clock differs from the store', { skew_ms: Number(skew / MS_NS) })
  }

  return {
    observe(sentAt, receivedAt, date) {
      observedAt = clock.monotonic()
      offset = receivedAt - observedAt
      const seconds = date === undefined ? Number.NaN : Date.parse(date)
      if (Number.isNaN(seconds)) return
      const stamp = BigInt(seconds) * MS_NS
      bounds = narrowed(bounds, { low: sentAt - stamp - SECOND_NS, high: receivedAt - stamp })
      if (magnitude(skewNs()) > NOTABLE_NS) warn(skewNs(), observedAt)
    },
    trust() {
      if (offset === undefined) return 'unknown'
      const now = clock.monotonic()
      if (magnitude(clock.now() - now - offset) > NOTABLE_NS) return 'unknown'
      if (magnitude(skewNs()) <= maxNs) return 'trusted'
      return now - observedAt > UNTRUSTED_NS ? 'unknown' : 'refused'
    },
    skewNs,
    maxMs: options.maxClockSkewMs,
  }
}

const narrowed = (known: Bounds | undefined, seen: Bounds): Bounds => {
  if (known === undefined) return seen
  const low = known.low > seen.low ? known.low : seen.low
  const high = known.high < seen.high ? known.high : seen.high
  return low <= high ? { low, high } : seen
}

const nearestToZero = ({ low, high }: Bounds): bigint => {
  if (low > 0n) return low
  return high < 0n ? high : 0n
}

const magnitude = (value: bigint): bigint => (value < 0n ? -value : value)

interface SkewReport {
  readonly skew: ClockSkew
  /** Logs an error and returns it. */
  reported(error: StoreUnavailable): StoreUnavailable
}

/**
 * Makes sure of this machine's clock before time is written: one request from a clock an hour ahead would block a
 * limit for an hour. `look` is any harmless call, whose answer tells the store's time; it is made only where nothing is
 * known yet or the clock has been set. Throws `StoreUnavailable` (surely not applied).
 */
export const createClockCheck = (
  { skew, reported }: SkewReport,
  look: () => Promise<unknown>,
): (() => Promise<void>) => {
  let looking: Promise<unknown> | undefined

  const lookOnce = async (): Promise<void> => {
    looking ??= look().finally(() => {
      looking = undefined
    })
    try {
      await looking
    } catch (cause) {
      throw new StoreUnavailable("The store's clock is not known", { mayHaveApplied: false, cause })
    }
  }

  return async () => {
    if (skew.trust() === 'unknown') await lookOnce()
    if (skew.trust() === 'refused') throw reported(clockError(skew))
  }
}

/** Its reason states the difference and the bound, so that an operator can correct the clock. */
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
