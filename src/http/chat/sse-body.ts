import { setImmediate as nextTurn } from 'node:timers/promises'

/** What is streamed, and what is to be done when it ends. */
export interface SseSource {
  readonly chunks: AsyncIterable<Readonly<Record<string, unknown>>>
  /** Called before the end is sent, when the reader goes away, or when `chunks` breaks off; perhaps more than once. */
  settle(): Promise<void>
  /** The reader has gone away: nothing more is wanted. */
  abandon(): void
  /** What an error in the middle says, as OpenAI's `{"error": …}`. */
  errorBody(error: unknown): unknown
}

/**
 * Chunks between two turns of the event loop, some 0.3 ms of a simulated answer: as long as its reader takes them at once, a
 * stream that waits for nothing would otherwise end without one.
 */
export const CHUNKS_PER_TURN = 16

const encoder = new TextEncoder()

const event = (data: string): Uint8Array => encoder.encode(`data: ${data}\n\n`)
const DONE = '[DONE]'

/** Server-sent events as OpenAI streams them: one for each chunk, then `[DONE]`. A chunk is only asked for when the reader wants it. */
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
