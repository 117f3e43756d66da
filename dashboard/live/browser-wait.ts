/** Resolves after `ms`, or as soon as `signal` aborts or the browser is online again. */
export const browserWait = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer)
      removeEventListener('online', end)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, ms)
    addEventListener('online', end)
    signal.addEventListener('abort', end)
  })

/** Runs `start` while the tab is looked at, and for `graceMs` after; its signal aborts then, or when `stop` is called. */
export const whileVisible = (graceMs: number, start: (signal: AbortSignal) => void): (() => void) => {
  let abort: AbortController | undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  const pause = () => {
    abort?.abort()
    abort = undefined
  }
  const look = () => {
    clearTimeout(timer)
    if (document.hidden) {
      timer = setTimeout(pause, graceMs)
    } else if (abort === undefined) {
      abort = new AbortController()
      start(abort.signal)
    }
  }
  document.addEventListener('visibilitychange', look)
  look()
  return () => {
    clearTimeout(timer)
    document.removeEventListener('visibilitychange', look)
    pause()
  }
}
