/** Virtual time: what happens, and when. Nothing sleeps. */
export interface Scheduler {
  /** ns since the schedule began */
  now(): number
  /** Those of one moment happen in the order in which they were asked for. */
  at(timeNs: number, happening: () => void): void
  /** Lets all happen, also what follows from it, up to the last. Throws where that never ends. */
  run(): Promise<void>
}

interface Happening {
  readonly timeNs: number
  readonly order: number
  readonly happen: () => void
}

/** More than any schedule leads to. */
const ENDLESS = 2_000_000

export const createScheduler = (): Scheduler => {
  const heap: Happening[] = []
  let now = 0
  let order = 0
  return {
    now: () => now,
    at: (timeNs, happen) => push(heap, { timeNs: Math.max(now, Math.round(timeNs)), order: order++, happen }),
    async run() {
      for (let left = ENDLESS; left > 0; left--) {
        const next = pop(heap)
        if (next === undefined) return
        now = next.timeNs
        next.happen()
        await settled()
      }
      throw new Error('things follow from each other for ever')
    },
  }
}

/**
 * Waits until no promise has anything left to follow. The event loop turns only when the queue of microtasks is empty, however
 * deep chains of promises are, and nothing else of a schedule ever waits in the event loop: so exactly as much happens in one
 * run as in the next. A fixed number of turns of the microtask queue would only be a guess at the depth.
 */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

const isBefore = (a: Happening, b: Happening): boolean =>
  a.timeNs < b.timeNs || (a.timeNs === b.timeNs && a.order < b.order)

const push = (heap: Happening[], happening: Happening): void => {
  let at = heap.length
  while (at > 0) {
    const parent = (at - 1) >> 1
    const above = heap[parent]
    if (above === undefined || isBefore(above, happening)) break
    heap[at] = above
    at = parent
  }
  heap[at] = happening
}

const pop = (heap: Happening[]): Happening | undefined => {
  const first = heap[0]
  const last = heap.pop()
  if (last !== undefined && heap.length > 0) sink(heap, last)
  return first
}

/** Puts a happening in the place of the first, and below those that come before it. */
const sink = (heap: Happening[], happening: Happening): void => {
  let at = 0
  for (;;) {
    const least = leastBelow(heap, at)
    const below = heap[least]
    if (below === undefined || isBefore(happening, below)) break
    heap[at] = below
    at = least
  }
  heap[at] = happening
}

const leastBelow = (heap: readonly Happening[], at: number): number => {
  const [left, right] = [heap[2 * at + 1], heap[2 * at + 2]]
  return left !== undefined && right !== undefined && isBefore(right, left) ? 2 * at + 2 : 2 * at + 1
}
