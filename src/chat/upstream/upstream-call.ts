import type { AbortSignalLike, ChatAnswer } from '../../core/ports/chat-backend.ts'
import { isObject, type JsonObject } from '../chat-objects.ts'

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

/** Headers of a refusal that tell the client when to try again. */
const PASSED_HEADERS = ['retry-after', 'retry-after-ms', 'x-should-retry'] as const

const errorBody = (message: string, code: string): JsonObject => ({
  error: { message, type: 'server_error', param: null, code },
  message,
})

export const UNREACHABLE = errorBody('The upstream cannot be reached', 'upstream_unreachable')

export const TIMED_OUT = errorBody('The upstream did not answer in time', 'upstream_timeout')

export const UNREADABLE = errorBody('The upstream gave an answer that is not JSON', 'upstream_unreadable')

export const failure = (status: 502 | 504, body: JsonObject): ChatAnswer => ({
  status,
  body,
  usage: undefined,
})

/**
 * What an upstream answered in place of a chat, with its status. Its 401 is about zael's own key, which the client can
 * do nothing about, and its text may show a part of that key: it becomes a 502.
 */
export const refusal = (response: Response, body: unknown): ChatAnswer => {
  const { status, headers } = response
  if (status === 401) {
    return failure(502, errorBody("The upstream refuses zael's own key", 'upstream_unauthorized'))
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
        : errorBody(`The upstream answered ${status}`, 'upstream_error'),
    usage: undefined,
    headers: Object.fromEntries(passed),
  }
}
