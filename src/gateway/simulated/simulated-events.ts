import { setImmediate as nextTurn } from 'node:timers/promises'
import type { AbortSignalLike, ModelEvents, ModelUsage } from '../../core/ports/model-backend.ts'

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

/** An event as it is sent, and the output tokens that it contains. */
export interface SimulatedEvent {
  readonly text: string
  readonly tokens: number
}

export interface SimulatedPace {
  readonly delay: Delay
  /** null: as fast as the client reads. */
  readonly tokensPerSecond: number | null
}

/**
 * Events between two turns of the event loop, about 0.3 ms. Without such turns, a stream whose reader takes events at once would
 * block the event loop until its end.
 */
export const EVENTS_PER_TURN = 16

/** Makes an event when it is read. The usage counts the events that were read. */
export const simulatedEvents = (
  events: Iterator<SimulatedEvent>,
  usage: Omit<ModelUsage, 'outputTokens'>,
  { delay, tokensPerSecond }: SimulatedPace,
): ModelEvents => {
  const left = new AbortController()
  let next = events.next()
  let [read, outputTokens] = [0, 0]
  const wait = async (tokens: number): Promise<void> => {
    if (tokensPerSecond !== null && tokens > 0) await delay((tokens * 1000) / tokensPerSecond, left.signal)
    else if (read % EVENTS_PER_TURN === 0) await nextTurn()
  }
  return {
    async next() {
      if (next.done || left.signal.aborted) return undefined
      const event = next.value
      read += 1
      await wait(event.tokens).catch(() => {})
      if (left.signal.aborted) return undefined
      outputTokens += event.tokens
      next = events.next()
      return event.text
    },
    hasEnded: () => next.done === true,
    cancel: () => left.abort(),
    async charge() {
      const isUnknown = outputTokens === 0 && !next.done
      return isUnknown ? { of: 'estimate' } : { of: 'usage', usage: { ...usage, outputTokens } }
    },
  }
}
