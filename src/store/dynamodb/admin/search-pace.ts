import { setTimeout as wait } from 'node:timers/promises'
import { TooManyRequests } from '../../../core/model/errors.ts'

/** Spreads the reads of all searches of a process over time, so that other requests are answered meanwhile. */
export interface SearchPace {
  begin(): PacedSearch
}

export interface PacedSearch {
  /**
   * Runs `task` after those that other searches queued before it, and a pause. The first call rejects with `TooManyRequests`
   * if `maxSearches` searches are already reading.
   */
  read<T>(task: () => Promise<T>): Promise<T>
  end(): void
}

export interface SearchPaceOptions {
  /** Between two reads. */
  readonly pauseMs: number
  /** Each waits with at most one read, so the queue is no longer than this. */
  readonly maxSearches: number
  readonly pause?: (ms: number) => Promise<unknown>
}

export const createSearchPace = ({
  pauseMs,
  maxSearches,
  pause = unrefWait,
}: SearchPaceOptions): SearchPace => {
  let reading = 0
  let last: Promise<unknown> = Promise.resolve()
  const inTurn = <T>(task: () => Promise<T>): Promise<T> => {
    const mine = last.then(task)
    last = mine.catch(() => {}).then(() => pause(pauseMs))
    return mine
  }
  const admit = (): void => {
    if (reading >= maxSearches) throw new TooManyRequests('Too many searches at once', RETRY_AFTER_SECONDS)
    reading += 1
  }
  return {
    begin() {
      let isAdmitted = false
      return {
        async read(task) {
          if (!isAdmitted) admit()
          isAdmitted = true
          return inTurn(task)
        },
        end() {
          if (isAdmitted) reading -= 1
          isAdmitted = false
        },
      }
    },
  }
}

/** Searches end continually while the queue is full: one of 500 entities takes five reads. */
const RETRY_AFTER_SECONDS = 1

const unrefWait = (ms: number): Promise<unknown> => wait(ms, undefined, { ref: false })
