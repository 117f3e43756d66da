import type { JsonObject } from '../../core/model/json.ts'
import type { AbortSignalLike, ChatResponse } from '../../core/ports/chat-backend.ts'
import { isObject } from '../json-values.ts'

/** Ends a call to an upstream if its caller disconnects or the upstream is silent for too long. */
export interface UpstreamWatch {
  /** For the call itself. */
  readonly signal: AbortSignal
  /** Waits for the upstream; its time starts anew. */
  resume(): void
  /** Stops waiting for the upstream. */
  pause(): void
  /** Ends the watch and aborts the call if it is still in progress. Must always be called. */
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

/** Headers of an error that state when to retry. */
const PASSED_HEADERS = ['retry-after', 'retry-after-ms', 'x-should-retry'] as const

const errorBody = (message: string, code: string): JsonObject => ({
  error: { message, type: 'server_error', param: null, code },
  message,
})

export const UNREACHABLE = errorBody('The upstream cannot be reached', 'upstream_unreachable')

export const TIMED_OUT = errorBody('The upstream did not respond in time', 'upstream_timeout')

export const UNREADABLE = errorBody('The upstream sent a response that is not JSON', 'upstream_unreadable')

export const failure = (status: 502 | 504, body: JsonObject): ChatResponse => ({
  status,
  body,
  usage: undefined,
})

/**
 * An upstream's error response, with its status. A 401 concerns zael's own key, which the client cannot change, and its text
 * may contain a part of that key: it becomes a 502.
 */
export const errorResponse = (response: Response, body: unknown): ChatResponse => {
  const { status, headers } = response
  if (status === 401) {
    return failure(502, errorBody("The upstream rejects zael's own key", 'upstream_unauthorized'))
  }
  const passed = PASSED_HEADERS.flatMap((name) => {
    const value = headers.get(name)
    return value === null ? [] : [[name, value] as const]
  })
  return {
    status: status >= 400 ? status : 502,
    body:
      isObject(body) && 'error' in body
        ? body
        : errorBody(`The upstream responded ${status}`, 'upstream_error'),
    usage: undefined,
    headers: Object.fromEntries(passed),
  }
}
