import { setImmediate as nextTurn } from 'node:timers/promises'

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

const encoder = new TextEncoder()

const event = (data: string): Uint8Array => encoder.encode(`data: ${data}\n\n`)
const DONE = '[DONE]'

/** Server-sent events as OpenAI streams them: one per chunk, then `[DONE]`. A chunk is read only when the reader pulls it. */
export const sseBody = (
  { chunks, settle, abandon, errorBody }: SseSource,
  turn: () => Promise<unknown> = nextTurn,
): ReadableStream<Uint8Array> => {
  const iterator = chunks[Symbol.asyncIterator]()
  let cancelled = false
  let sent = 0
  const next = async (): Promise<{ readonly data: string; readonly last: boolean }> => {
    try {
      const { done, value } = await iterator.next()
      return done ? { data: DONE, last: true } : { data: JSON.stringify(value), last: false }
    } catch (error) {
      return { data: `${JSON.stringify(errorBody(error))}\n\ndata: ${DONE}`, last: true }
    }
  }
  return new ReadableStream({
    async pull(controller) {
      sent += 1
      if (sent % CHUNKS_PER_TURN === 0) await turn()
      const { data, last } = await next()
      if (last) await settle()
      if (cancelled) return
      controller.enqueue(event(data))
      if (last) controller.close()
    },
    async cancel() {
      cancelled = true
      abandon()
      await settle()
      await iterator.return?.()
    },
  })
}
