import type { ServerResponse } from 'node:http'
import { completeHeaders, type EventReader, type Reply, type ResponseContext } from '../response.ts'
import type { Eventual } from '../when-ready.ts'

/** Writes a reply with all its headers. A promise for a stream: it resolves when the stream or its connection ends. */
export const send = (outgoing: ServerResponse, context: ResponseContext, reply: Reply): Eventual<void> => {
  if (reply === undefined) return undefined
  const headers = completeHeaders(reply, context)
  if ('events' in reply) {
    outgoing.writeHead(reply.status, headers)
    // the first event may be late
    outgoing.flushHeaders()
    return sendEvents(outgoing, reply.events)
  }
  const text = JSON.stringify(reply.body)
  const bytes = Buffer.byteLength(text)
  headers['content-length'] = String(bytes)
  outgoing.writeHead(reply.status, headers)
  // ASCII is the same in both encodings, and Node writes Latin-1 without transcoding it
  outgoing.end(text, bytes === text.length ? 'latin1' : 'utf8')
}

/** Reads an event only when the client has taken those before it, but for the buffer of the connection. */
const sendEvents = async (outgoing: ServerResponse, events: EventReader): Promise<void> => {
  const gone = disconnection(outgoing)
  const cancelled = new Promise<void>((resolve) => {
    const cancel = () => resolve(events.cancel())
    if (gone.aborted) cancel()
    else gone.addEventListener('abort', cancel, { once: true })
  })
  for (;;) {
    const event = await events.next()
    if (event === undefined || gone.aborted) return cancelled
    if (event.isLast) {
      outgoing.end(event.text)
      return
    }
    if (!outgoing.write(event.text)) await Promise.race([drained(outgoing), cancelled])
  }
}

const drained = (outgoing: ServerResponse): Promise<void> =>
  new Promise((resolve) => outgoing.once('drain', resolve))

/** Aborts when the connection closes before the response is complete. */
export const disconnection = (outgoing: ServerResponse): AbortSignal => {
  const controller = new AbortController()
  const onClose = (): void => {
    if (!outgoing.writableFinished) controller.abort()
  }
  if (outgoing.closed) onClose()
  else outgoing.once('close', onClose)
  return controller.signal
}
