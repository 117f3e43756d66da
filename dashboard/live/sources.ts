import type { Api } from '../api/api.ts'
import { ApiError } from '../api/errors.ts'
import type { Source } from './follow.ts'
import { readEvents, type SseEvent } from './read-events.ts'

/** The server sends something at least every 15 s; a stream that is silent for longer than this is lost. */
const SILENCE_TIMEOUT_MS = 40_000

/** The events of an SSE route. A stream that falls silent, and one that the browser cuts off, fail. */
export const createStreamSource =
  (api: Api, path: string): Source<SseEvent> =>
  async (signal, onEvent) => {
    const silence = createWatchdog(SILENCE_TIMEOUT_MS)
    try {
      const answer = await api.fetch(path, { signal: AbortSignal.any([signal, silence.signal]) })
      if (!answer.ok || !answer.body) throw await responseError(api, answer)
      await readEvents(answer.body, onEvent, silence.restart)
    } catch (error) {
      throw error instanceof ApiError ? error : new Error('The connection was lost.')
    } finally {
      silence.stop()
    }
  }

/** Aborts when it has not been started again for `ms`, or the browser is offline. */
const createWatchdog = (ms: number) => {
  const abort = new AbortController()
  const ring = () => abort.abort()
  let timer = setTimeout(ring, ms)
  addEventListener('offline', ring)
  return {
    signal: abort.signal,
    restart() {
      clearTimeout(timer)
      timer = setTimeout(ring, ms)
    },
    stop() {
      clearTimeout(timer)
      removeEventListener('offline', ring)
    },
  }
}

/** A token that is not known any more signs out: asking for the session sees to that. */
const responseError = async (api: Api, answer: Response): Promise<ApiError> => {
  if (answer.status === 401) await api.get('api/dashboard/session')
  const body: unknown = await answer.json().catch(() => undefined)
  const said = typeof body === 'object' && body !== null && 'message' in body ? String(body.message) : ''
  return new ApiError(answer.status, said || `The API returned status ${answer.status}.`)
}

/** Answers of `ask`, one after the other, `everyMs` apart. */
export const createPollSource =
  <T>(ask: (signal: AbortSignal) => Promise<T>, everyMs: number): Source<T> =>
  async (signal, hear) => {
    while (!signal.aborted) {
      hear(await ask(signal))
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
