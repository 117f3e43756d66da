import type { AbortSignalLike } from '../core/ports/chat-backend.ts'

/** Waits `ms`; rejects at once where `signal` is aborted, before or meanwhile. */
export type Delay = (ms: number, signal: AbortSignalLike) => Promise<void>

export const abortError = (): Error => new DOMException('The request was aborted', 'AbortError')

export const timerDelay: Delay = (ms, signal) =>
  new Promise((resolve, reject) => {
    if (signal.aborted) return reject(abortError())
    const stop = () => {
      clearTimeout(timer)
      reject(abortError())
    }
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop)
      resolve()
    }, ms)
    signal.addEventListener('abort', stop, { once: true })
  })
