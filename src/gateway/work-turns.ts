import { setImmediate as nextTurn } from 'node:timers/promises'

/** Spreads the work of all tasks of a process over the turns of the event loop. */
export interface WorkTurns {
  /**
   * Begins a task that may be long. Its first `freeWork` units take no turn, so short tasks never wait; after that it waits
   * for its turn.
   */
  begin(): WorkTask
}

export interface WorkTask {
  /** Counts `work` as done. A promise: resolves when the task may go on; undefined: it may go on at once. */
  spend(work: number): Promise<void> | undefined
}

interface Waiting {
  readonly done: number
  readonly resume: () => void
}

export interface WorkTurnsOptions {
  /** Units that a task does before it waits for the first time. */
  readonly freeWork: number
  /** Units that the one task whose turn it is does in a turn. */
  readonly workPerTurn: number
  readonly nextTurn?: () => Promise<unknown>
}

/**
 * In each turn of the event loop one waiting task continues: the one that has done the least so far, or of several the one that
 * has waited longest.
 * However many tasks wait, other callers are delayed by at most `workPerTurn` per turn.
 */
export const createWorkTurns = (options: WorkTurnsOptions): WorkTurns => {
  const { freeWork, workPerTurn, nextTurn: turn = nextTurn } = options
  const waiting: Waiting[] = []
  let isRunning = false

  const run = async (): Promise<void> => {
    if (isRunning) return
    isRunning = true
    while (waiting.length > 0) {
      await turn()
      leastOf(waiting).resume()
    }
    isRunning = false
  }
  const wait = (done: number): Promise<void> =>
    new Promise((resume) => {
      waiting.push({ done, resume })
      void run()
    })

  return {
    begin() {
      let [done, left] = [0, freeWork]
      return {
        spend(work) {
          done += work
          left -= work
          if (left > 0) return undefined
          left = workPerTurn
          return wait(done)
        },
      }
    },
  }
}

/** Takes out the task that has done least. */
const leastOf = (waiting: Waiting[]): Waiting => {
  const least = waiting.reduce(
    (best, { done }, index) => (done < (waiting[best]?.done ?? 0) ? index : best),
    0,
  )
  const [taken] = waiting.splice(least, 1)
  if (taken === undefined) throw new Error('no task waits')
  return taken
}
