import type { CreateStreamTimer } from '../../../../src/gateway/stream/stream-timer.ts'

/** One timer whose time a test passes. */
export interface ManualTimer {
  readonly createTimer: CreateStreamTimer
  /** Passes the time in steps of the timer, and lets the promises of each continue. */
  pass(ms: number): Promise<void>
  isRunning(): boolean
}

export const createManualTimer = (): ManualTimer => {
  let now = 0
  let due = Number.POSITIVE_INFINITY
  let callback = () => {}
  return {
    createTimer(onTime) {
      callback = onTime
      return {
        start(ms) {
          due = now + ms
        },
        stop() {
          due = Number.POSITIVE_INFINITY
        },
      }
    },
    async pass(ms) {
      const end = now + ms
      while (due <= end) {
        now = due
        due = Number.POSITIVE_INFINITY
        callback()
        await turn()
      }
      now = end
    },
    isRunning: () => Number.isFinite(due),
  }
}

/** Lets all promises that are due continue. */
export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
