import type { Clock } from '../../../src/core/ports/platform.ts'
import { createDeadlines, type Deadlines, TICK_MS } from '../../../src/store/dynamodb/call-limits.ts'

/** Deadlines whose timers the test runs. */
export interface ManualDeadlines extends Deadlines {
  /** Lets the timers that are due within `ms` run; a real loop would have looked for responses between them. */
  pass(ms: number): void
  /** How many timers are set. */
  timers(): number
}

export const createManualDeadlines = (): ManualDeadlines => {
  let due: (() => void)[] = []
  const deadlines = createDeadlines((callback) => {
    due.push(callback)
  })
  return {
    ...deadlines,
    pass(ms) {
      for (let passed = TICK_MS; passed <= ms; passed += TICK_MS) {
        const now = due
        due = []
        for (const callback of now) callback()
      }
    },
    timers: () => due.length,
  }
}

export interface ManualClock extends Clock {
  /** Both clocks go on. */
  pass(ns: bigint): void
  /** Somebody sets the wall clock. */
  step(ns: bigint): void
}

export const createManualClock = (start: bigint): ManualClock => {
  let wall = start
  let monotonic = 0n
  return {
    now: () => wall,
    monotonic: () => monotonic,
    pass(ns) {
      wall += ns
      monotonic += ns
    },
    step(ns) {
      wall += ns
    },
  }
}
