/** Length of a tick: how exact a deadline is. */
export const TICK_MS = 50

/** Deadlines of calls that are under way. */
export interface Deadlines {
  /** Calls `expire` once about `ms` have passed, unless the returned function is called before. */
  start(ms: number, expire: () => void): () => void
}

interface Pending {
  ticksLeft: number
  readonly expire: () => void
}

/**
 * Counts time in ticks of one chain of timers. A stalled event loop loses ticks instead of adding them up, and between
 * two ticks it always looks for answers: so a stall here is not taken for a slow store. A deadline may be up to one
 * tick late, never early. The timer runs only while something is pending.
 */
export const createDeadlines = (
  setTimer: (callback: () => void, ms: number) => unknown = setTimeout,
): Deadlines => {
  const pending = new Set<Pending>()
  let running = false

  const tick = (): void => {
    for (const each of pending) {
      each.ticksLeft -= 1
      if (each.ticksLeft > 0) continue
      pending.delete(each)
      each.expire()
    }
    running = pending.size > 0
    if (running) setTimer(tick, TICK_MS)
  }

  return {
    start(ms, expire) {
      // one more, because the tick that is under way has partly passed
      const each: Pending = { ticksLeft: Math.ceil(ms / TICK_MS) + 1, expire }
      pending.add(each)
      if (!running) {
        running = true
        setTimer(tick, TICK_MS)
      }
      return () => {
        pending.delete(each)
      }
    },
  }
}
