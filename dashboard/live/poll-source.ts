import { browserWait } from './browser-wait.ts'
import type { Source } from './follow.ts'

/** Answers of `ask`, one after the other, `everyMs` apart. */
export const createPollSource =
  <T>(ask: (signal: AbortSignal) => Promise<T>, everyMs: number): Source<T> =>
  async (signal, hear) => {
    while (!signal.aborted) {
      hear(await ask(signal))
      await browserWait(everyMs, signal)
    }
  }
