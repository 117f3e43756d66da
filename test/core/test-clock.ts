import type { Clock } from '../../src/core/ports/platform.ts'

export const SECOND = 1_000_000_000n

/** A clock controlled by the test. Both clocks move together, unless the test moves the wall clock alone. */
export interface TestClock extends Clock {
  advance(ns: bigint): void
  advanceTo(now: bigint): void
  /** Moves only the wall clock, like a correction by NTP. */
  step(ns: bigint): void
}

export const START = 1_767_225_600n * SECOND

export const createTestClock = (start = START): TestClock => {
  let monotonic = 0n
  let offset = start
  return {
    now: () => monotonic + offset,
    monotonic: () => monotonic,
    advance(ns) {
      monotonic += ns
    },
    advanceTo(now) {
      monotonic = now - offset
    },
    step(ns) {
      offset += ns
    },
  }
}
