import { StoreUnavailable } from '../../core/model/errors.ts'

/** Length of a tick, which is the resolution of deadlines. */
export const TICK_MS = 50

/** Deadlines of calls in flight. */
export interface Deadlines {
  /** Calls `expire` after about `ms`, unless the returned function is called before. */
  start(ms: number, expire: () => void): () => void
}

interface Pending {
  ticksLeft: number
  readonly expire: () => void
}

/**
 * Measures time in ticks of one chain of timers. A stalled event loop loses ticks, and reads responses between two ticks, so a
 * stall of this process does not count as slowness of the store. A deadline expires at most one tick late, never early. The
 * timer runs only while a deadline is pending.
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
      // one more, because a part of the current tick has passed
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

/** Bounds the calls in flight; the others wait in order of arrival. */
export interface CallQueue {
  /**
   * Resolves once a call may be sent, with a function to call when it has ended (a second time has no effect).
   * Throws `StoreUnavailable` (not applied) if the wait exceeds `maxWaitMs`.
   */
  enter(): Promise<() => void>
}

/**
 * `maxInFlight` is below the number of sockets of the HTTP agent (50): calls then queue here, before their deadline begins,
 * and the time in the queue does not count as slowness of the store.
 */
export const createCallQueue = (options: {
  readonly maxInFlight: number
  readonly maxWaitMs: number
  readonly deadlines: Deadlines
}): CallQueue => {
  let inFlight = 0
  /** A Set keeps the order of arrival, and removes an entry in the middle in constant time. */
  const waiting = new Set<() => void>()

  const leave = (): void => {
    const [next] = waiting
    if (next === undefined) inFlight -= 1
    else next()
  }
  const wait = (): Promise<() => void> =>
    new Promise((resolve, reject) => {
      const start = (): void => {
        waiting.delete(start)
        stop()
        resolve(once(leave))
      }
      const stop = options.deadlines.start(options.maxWaitMs, () => {
        waiting.delete(start)
        reject(new StoreUnavailable('Too many calls to the store are waiting', { mayHaveApplied: false }))
      })
      waiting.add(start)
    })

  return {
    enter: async () => {
      if (inFlight >= options.maxInFlight) return wait()
      inFlight += 1
      return once(leave)
    },
  }
}

const once = (call: () => void): (() => void) => {
  let isCalled = false
  return () => {
    if (isCalled) return
    isCalled = true
    call()
  }
}
