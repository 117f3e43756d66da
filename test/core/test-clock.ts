import type { Clock } from '../../src/core/ports/platform.ts'

export const SECOND = 1_000_000_000n

/** A clock that the test owns. Both hands move together, unless the test moves the wall clock by itself. */
export interface TestClock extends Clock {
  advance(ns: bigint): void
  advanceTo(now: bigint): void
  /** Moves the wall clock only, as a correction by NTP does. */
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
