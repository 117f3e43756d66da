import { StoreUnavailable } from '../../core/model/errors.ts'

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

/** Lets a bounded number of calls through at once, in order of arrival. */
export interface Gate {
  /**
   * Resolves once there is room; call what it gives when the call is over (a second time does nothing).
   * Throws `StoreUnavailable` (surely not applied) where the wait grows past `maxWaitMs`.
   */
  enter(): Promise<() => void>
}

/**
 * `width`: calls in flight. Fewer than the HTTP agent's sockets (50), so that calls queue here, before their deadline
 * begins, and our own queueing is not taken for slowness of the store.
 */
export const createGate = (options: {
  readonly width: number
  readonly maxWaitMs: number
  readonly deadlines: Deadlines
}): Gate => {
  let inFlight = 0
  /** In order of arrival: a Set keeps it, and forgets one in the middle at once. */
  const waiting = new Set<() => void>()

  const leave = (): void => {
    const [next] = waiting
    if (next === undefined) inFlight -= 1
    else next()
  }
  const once = (): (() => void) => {
    let left = false
    return () => {
      if (left) return
      left = true
      leave()
    }
  }
  const queue = (): Promise<() => void> =>
    new Promise((resolve, reject) => {
      const go = (): void => {
        waiting.delete(go)
        stop()
        resolve(once())
      }
      const stop = options.deadlines.start(options.maxWaitMs, () => {
        waiting.delete(go)
        reject(new StoreUnavailable('Too many calls to the store are waiting', { mayHaveApplied: false }))
      })
      waiting.add(go)
    })

  return {
    enter: async () => {
      if (inFlight >= options.width) return queue()
      inFlight += 1
      return once()
    },
  }
}
