import type { AbortSignalLike } from '../../core/ports/chat-backend.ts'

/** Ends a call to an upstream: where its caller goes away, or where the upstream says nothing for too long. */
export interface UpstreamWatch {
  /** For the call itself. */
  readonly signal: AbortSignal
  /** The upstream has its turn: its time starts anew. */
  resume(): void
  /** The upstream need say nothing for now. */
  pause(): void
  /** Stops watching and whatever of the call is still under way. To be called in any case. */
  end(): void
  readonly timedOut: () => boolean
}

export const watchUpstream = (caller: AbortSignalLike, silenceMs: number): UpstreamWatch => {
  const stop = new AbortController()
  let [paused, timedOut] = [false, false]
  const timer = setTimeout(() => {
    if (paused) return
    timedOut = true
    stop.abort()
  }, silenceMs)
  const abandon = () => stop.abort()
  if (caller.aborted) abandon()
  else caller.addEventListener('abort', abandon, { once: true })
  return {
    signal: stop.signal,
    resume() {
      paused = false
      timer.refresh()
    },
    pause() {
      paused = true
    },
    end() {
      clearTimeout(timer)
      caller.removeEventListener('abort', abandon)
      stop.abort()
    },
    timedOut: () => timedOut,
  }
}
