import { setImmediate as nextTurn } from 'node:timers/promises'
import type { EventReader } from '../response.ts'

/** The chunks to stream, and the callbacks for the end of the stream. */
export interface SseSource {
  readonly chunks: AsyncIterable<Readonly<Record<string, unknown>>>
  /** Called before the end is sent, when the reader disconnects, or when `chunks` rejects; possibly more than once. */
  settle(): Promise<void>
  /** Called when the reader has disconnected: no more chunks are needed. */
  abandon(): void
  /** The body of an error in the middle of the stream, as OpenAI's `{"error": …}`. */
  errorBody(error: unknown): unknown
}

/**
 * Chunks between two turns of the event loop, about 0.3 ms of a simulated response. Without such turns, a stream whose chunks
 * are available at once, and whose reader takes them at once, would block the event loop until its end.
 */
export const CHUNKS_PER_TURN = 16

const event = (data: string): string => `data: ${data}\n\n`
const DONE = event('[DONE]')

/** Server-sent events as OpenAI streams them: one per chunk, then `[DONE]`. A chunk is read only when the reader asks for it. */
export const sseEvents = (
  { chunks, settle, abandon, errorBody }: SseSource,
  turn: () => Promise<unknown> = nextTurn,
): EventReader => {
  const iterator = chunks[Symbol.asyncIterator]()
  let isCancelled = false
  let sent = 0
  const read = async () => {
    try {
      const { done, value } = await iterator.next()
      return done ? { text: DONE, isLast: true } : { text: event(JSON.stringify(value)), isLast: false }
    } catch (error) {
      return { text: event(JSON.stringify(errorBody(error))) + DONE, isLast: true }
    }
  }
  return {
    async next() {
      sent += 1
      if (sent % CHUNKS_PER_TURN === 0) await turn()
      const next = await read()
      if (next.isLast) await settle()
      return isCancelled ? undefined : next
    },
    async cancel() {
      isCancelled = true
      abandon()
      await settle()
      // nobody can be informed of an error of the abandoned chunks
      await iterator.return?.().catch(() => undefined)
    },
  }
}
