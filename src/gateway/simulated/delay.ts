import type { AbortSignalLike } from '../../core/ports/model-backend.ts'

/** Waits `ms`. Rejects at once if `signal` is or becomes aborted. */
export type Delay = (ms: number, signal: AbortSignalLike) => Promise<void>

export const timerDelay: Delay = (ms, signal) =>
  new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer)
      reject(new DOMException('The request was aborted', 'AbortError'))
    }
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop)
      resolve()
    }, ms)
    if (signal.aborted) stop()
    else signal.addEventListener('abort', stop, { once: true })
  })
