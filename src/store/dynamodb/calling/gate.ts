import { StoreUnavailable } from '../../../core/model/errors.ts'
import type { Deadlines } from './deadlines.ts'

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
