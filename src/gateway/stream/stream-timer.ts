/** A timer that can be started again and again. */
export interface StreamTimer {
  /** Calls back once in `ms`, unless started or stopped before. */
  start(ms: number): void
  stop(): void
}

export type CreateStreamTimer = (callback: () => void) => StreamTimer

/** Restarting with the same time moves the platform's timer, which is cheaper than a new one. */
export const createStreamTimer: CreateStreamTimer = (callback) => {
  let timer: NodeJS.Timeout | undefined
  let current = 0
  return {
    start(ms) {
      if (timer !== undefined && ms === current) {
        timer.refresh()
        return
      }
      clearTimeout(timer)
      current = ms
      timer = setTimeout(callback, ms)
    },
    stop() {
      clearTimeout(timer)
      timer = undefined
    },
  }
}
