import { createParser } from 'eventsource-parser'

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
