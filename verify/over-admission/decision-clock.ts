import { AsyncLocalStorage } from 'node:async_hooks'
import type { Clock } from '../../src/core/ports/clock.ts'
import { systemClock } from '../../src/platform/system-clock.ts'

/** A node's clock that tells what a decision read off it. */
export interface DecisionClock extends Clock {
  /** Runs `work`, and tells the first time that it read: ns since the epoch. */
  watch<T>(work: () => Promise<T>): Promise<{ readonly result: T; readonly at: bigint }>
}

/** The machine's clock, `shiftNs` later. */
export const createDecisionClock = (shiftNs: bigint): DecisionClock => {
  const readings = new AsyncLocalStorage<{ first: bigint | undefined }>()
  const read = (): bigint => systemClock.now() + shiftNs
  return {
    now() {
      const now = read()
      const reading = readings.getStore()
      if (reading) reading.first ??= now
      return now
    },
    monotonic: () => systemClock.monotonic(),
    async watch(work) {
      const reading: { first: bigint | undefined } = { first: undefined }
      const result = await readings.run(reading, work)
      return { result, at: reading.first ?? read() }
    },
  }
}
