import type { Clock } from '../core/ports/platform.ts'

const NS_PER_MS = 1_000_000n

/** A runtime without `process` has ms with fractions: whole ns are exact in a number for 104 days. */
const monotonic = (): bigint =>
  globalThis.process?.hrtime?.bigint?.() ?? BigInt(Math.round(performance.now() * Number(NS_PER_MS)))

/** The machine's clocks. The wall clock ticks in milliseconds. */
export const systemClock: Clock = {
  now: () => BigInt(Date.now()) * NS_PER_MS,
  monotonic,
}
