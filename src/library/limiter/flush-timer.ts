import type { Logger } from '../../core/ports/platform.ts'

const FLUSH_EVERY_MS = 1000

/** Flushes once a second from the first use on. It never keeps a process alive. */
export interface FlushTimer {
  start(): void
  stop(): void
}

export const createFlushTimer = (flush: () => Promise<void>, logger: Logger): FlushTimer => {
  let timer: ReturnType<typeof setInterval> | undefined
  let isStopped = false
  const flushOnce = (): void => {
    flush().catch((error: unknown) => logger.warn('Counts were not written', { reason: String(error) }))
  }
  return {
    start() {
      if (timer !== undefined || isStopped) return
      timer = setInterval(flushOnce, FLUSH_EVERY_MS)
      // A number in browsers, jsdom, Deno and Workers.
      if (typeof timer === 'object') timer.unref?.()
    },
    stop() {
      isStopped = true
      clearInterval(timer)
    },
  }
}
