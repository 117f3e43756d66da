import type { Clock } from '../core/ports/clock.ts'

const NS_PER_MS = 1_000_000n

/** The machine's clocks. The wall clock ticks in milliseconds. */
export const systemClock: Clock = {
  now: () => BigInt(Date.now()) * NS_PER_MS,
  monotonic: () => process.hrtime.bigint(),
}
