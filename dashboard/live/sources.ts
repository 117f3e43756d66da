import { createParser } from 'eventsource-parser'
import type { Api } from '../api/api.ts'
import { ApiError } from '../api/errors.ts'
import type { Source } from './follow.ts'

/** The server sends something at least every 15 s; a stream that is silent for longer than this is lost. */
const SILENCE_TIMEOUT_MS = 40_000

/** The events of an SSE route. Fails if the stream is silent for too long or the browser is offline. */
export const createStreamSource =
  (api: Api, path: string): Source<SseEvent> =>
  async (signal, onEvent) => {
    const silence = createWatchdog(SILENCE_TIMEOUT_MS)
    try {
      const response = await api.fetch(path, { signal: AbortSignal.any([signal, silence.signal]) })
      if (!response.ok || !response.body) throw await responseError(api, response)
      await readEvents(response.body, onEvent, silence.restart)
    } catch (error) {
      throw error instanceof ApiError ? error : new Error('The connection was lost.')
    } finally {
      silence.stop()
    }
  }

/** Aborts `ms` after the last restart, or when the browser goes offline. */
const createWatchdog = (ms: number) => {
  const abort = new AbortController()
  const onTimeout = () => abort.abort()
  let timer = setTimeout(onTimeout, ms)
  addEventListener('offline', onTimeout)
  return {
    signal: abort.signal,
    restart() {
      clearTimeout(timer)
      timer = setTimeout(onTimeout, ms)
    },
    stop() {
      clearTimeout(timer)
      removeEventListener('offline', onTimeout)
    },
  }
}

/** Requests the session if the token is no longer valid, which signs out. */
const responseError = async (api: Api, response: Response): Promise<ApiError> => {
  if (response.status === 401) await api.get('api/dashboard/session')
  const body: unknown = await response.json().catch(() => undefined)
  const message = typeof body === 'object' && body !== null && 'message' in body ? String(body.message) : ''
  return new ApiError(response.status, message || `The API returned status ${response.status}.`)
}

/** Calls `read` repeatedly, `everyMs` after each response. */
export const createPollSource =
  <T>(read: (signal: AbortSignal) => Promise<T>, everyMs: number): Source<T> =>
  async (signal, emit) => {
    while (!signal.aborted) {
      emit(await read(signal))
      await browserDelay(everyMs, signal)
    }
  }

/** Resolves after `ms`, or as soon as `signal` aborts or the browser is online again. */
export const browserDelay = (ms: number, signal: AbortSignal): Promise<void> =>
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

/** `event` is `message` if the stream does not name it. */
export interface SseEvent {
  readonly event: string
  readonly data: string
}

/** Reads a stream of server-sent events to its end. `onChunk` is called before each read. */
export const readEvents = async (
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  onEvent: (event: SseEvent) => void,
  onChunk: () => void,
): Promise<void> => {
  const parser = createParser({ onEvent: ({ event = 'message', data }) => onEvent({ event, data }) })
  const reader = body.pipeThrough(new TextDecoderStream()).getReader()
  for (;;) {
    onChunk()
    const { done, value } = await reader.read()
    if (done) return
    parser.feed(value)
  }
}
