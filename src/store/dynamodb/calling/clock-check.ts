import { StoreUnavailable } from '../../../core/model/errors.ts'
import type { DynamoClient } from '../client.ts'
import type { ClockSkew } from './clock-skew.ts'

/**
 * Makes sure of this machine's clock before time is written: one request from a clock an hour ahead would block a
 * limit for an hour. `look` is any harmless call, whose answer tells the store's time; it is made only where nothing is
 * known yet or the clock has been set. Throws `StoreUnavailable` (surely not applied).
 */
export const createClockCheck = (
  { skew, reported }: Pick<DynamoClient, 'skew' | 'reported'>,
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
