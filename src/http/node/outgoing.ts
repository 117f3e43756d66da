import type { ServerResponse } from 'node:http'
import type { AbortSignalLike } from '../../core/ports/model-backend.ts'
import type { Eventual } from '../../core/ports/when-ready.ts'
import { type ChunkReader, completeHeaders, type Reply, type ResponseContext } from '../response.ts'

/** Writes a reply with all its headers. A promise for a stream: it resolves when the stream or its connection ends. */
export const send = (outgoing: ServerResponse, context: ResponseContext, reply: Reply): Eventual<void> => {
  if (reply === undefined) return undefined
  const headers = completeHeaders(reply, context)
  if ('chunks' in reply) {
    outgoing.writeHead(reply.status, headers)
    // the first event may be late
    outgoing.flushHeaders()
    return sendChunks(outgoing, reply.chunks)
  }
  const body = 'bytes' in reply ? reply.bytes : JSON.stringify(reply.body)
  const length = Buffer.byteLength(body)
  headers['content-length'] = String(length)
  outgoing.writeHead(reply.status, headers)
  if (typeof body !== 'string') endWith(outgoing, body)
  // ASCII is the same in both encodings, and Node writes Latin-1 without transcoding it
  else outgoing.end(body, length === body.length ? 'latin1' : 'utf8')
}

/** In bytes: copying more takes longer than a second write. */
const MAX_COPIED = 16 * 1024

/** Node joins a string to the headers and writes both at once. In Latin-1, each byte is one character and back. */
const endWith = (outgoing: ServerResponse, bytes: Uint8Array): void => {
  if (bytes.byteLength > MAX_COPIED) outgoing.end(bytes)
  else outgoing.end(bufferOf(bytes).toString('latin1'), 'latin1')
}

/** A view of the same memory. */
const bufferOf = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** Reads a chunk only when the client has taken those before it, but for the buffer of the connection. */
const sendChunks = async (outgoing: ServerResponse, chunks: ChunkReader): Promise<void> => {
  const gone = disconnection(outgoing)
  const cancelled = new Promise<void>((resolve) => {
    const cancel = () => resolve(chunks.cancel())
    if (gone.aborted) cancel()
    else gone.addEventListener('abort', cancel, { once: true })
  })
  for (;;) {
    const chunk = await chunks.next()
    if (gone.aborted) return cancelled
    if (chunk === undefined || chunks.hasEnded()) {
      outgoing.end(chunk)
      return
    }
    if (!outgoing.write(chunk)) await drained(outgoing)
  }
}

/** Resolves when more can be written, or when the connection is closed. */
const drained = (outgoing: ServerResponse): Promise<void> =>
  new Promise((resolve) => {
    const done = () => {
      outgoing.off('drain', done).off('close', done)
      resolve()
    }
    outgoing.on('drain', done).on('close', done)
    if (outgoing.closed) done()
  })

/** Aborts when the connection closes before the response is complete. */
export const disconnection = (outgoing: ServerResponse): AbortSignalLike => new Disconnection(outgoing)

/** A class, and no AbortSignal, because creating one and listening to it takes longer than a decision. */
class Disconnection implements AbortSignalLike {
  aborted = false
  #listeners: readonly (() => void)[] = []

  constructor(outgoing: ServerResponse) {
    if (outgoing.closed) this.aborted = !outgoing.writableFinished
    else outgoing.once('close', () => this.#onClose(outgoing))
  }

  addEventListener(_: 'abort', listener: () => void): void {
    this.#listeners = [...this.#listeners, listener]
  }

  removeEventListener(_: 'abort', listener: () => void): void {
    this.#listeners = this.#listeners.filter((each) => each !== listener)
  }

  #onClose(outgoing: ServerResponse): void {
    if (outgoing.writableFinished) return
    this.aborted = true
    for (const listener of this.#listeners) listener()
  }
}
