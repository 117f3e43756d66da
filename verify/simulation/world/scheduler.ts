/** Virtual time: a queue of events. Nothing sleeps. */
export interface Scheduler {
  /** ns since the start of the schedule */
  now(): number
  /** Events at the same time run in the order in which they were scheduled. */
  at(timeNs: number, happening: () => void): void
  /** Runs all events, including those that they schedule. Throws if they do not end. */
  run(): Promise<void>
}

interface Happening {
  readonly timeNs: number
  readonly order: number
  readonly happen: () => void
}

/** More events than any schedule causes. */
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
      throw new Error('the events of the schedule do not end')
    },
  }
}

/**
 * Waits until no promise has a continuation left. The event loop turns only when the microtask queue is empty, however
 * long the promise chains are, and nothing else in a schedule waits in the event loop, so every run progresses
 * identically. A fixed number of microtask turns would have to guess the length of the chains.
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

/** Replaces the first event, and moves it below those that precede it. */
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
