import type { Headers } from '../web/rate-limit-headers.ts'

/** The part of a response that does not depend on its route; created by middleware before the route. */
export interface ResponseContext {
  readonly requestId: string
  readonly nodeId: string | null
  /** undefined: no other origin may call */
  crossOrigin: CrossOrigin | undefined
  /** The response that `respond` created with all headers. */
  completed: Response | undefined
}

/** The CORS headers of a response. */
export interface CrossOrigin {
  /** The origin that may read the response, or `*`; undefined: the origin of this request may not. */
  readonly allowed: string | undefined
  /** The headers that it may read. */
  readonly exposed: string
  /** Whether the headers depend on the origin. */
  readonly varies: boolean
}

/** A JSON response before it is sent. Its headers belong to it alone: others are added to them. */
export interface JsonReply {
  readonly status: number
  readonly headers: Headers
  readonly body: unknown
}

/** A response whose body is sent as it is; its headers have a content type. */
export interface BytesReply {
  readonly status: number
  readonly headers: Headers
  readonly bytes: Uint8Array | string
}

/** A stream before it is sent; its headers have a content type. */
export interface StreamReply {
  readonly status: number
  readonly headers: Headers
  readonly chunks: ChunkReader
}

/** The bytes of a stream, in the order in which they are sent. */
export interface ChunkReader {
  /** The next bytes; undefined: the stream has ended. Never rejects. */
  next(): Promise<Uint8Array | string | undefined>
  /** Whether nothing follows the bytes that `next` returned last. */
  hasEnded(): boolean
  /** Ends the stream when its reader disconnects. Never rejects. */
  cancel(): Promise<void>
}

/** undefined: the client has disconnected, and nothing can be sent. */
export type Reply = JsonReply | BytesReply | StreamReply | undefined

/** nginx's status for a client that has closed the connection. It is not sent, and appears only in access logs. */
const CLIENT_CLOSED_REQUEST = 499

/** The response of a reply with all its headers. A Node server writes it without reading it again. */
export const respond = (context: ResponseContext, reply: Reply): Response => {
  if (reply === undefined) return new Response(null, { status: CLIENT_CLOSED_REQUEST })
  const headers = completeHeaders(reply, context)
  const response = new Response(bodyOf(reply), { status: reply.status, headers })
  context.completed = response
  return response
}

const bodyOf = (reply: NonNullable<Reply>): ReadableStream<Uint8Array> | Uint8Array | string => {
  if ('chunks' in reply) return streamOf(reply.chunks)
  return 'bytes' in reply ? reply.bytes : JSON.stringify(reply.body)
}

/** Adds the headers that do not depend on the route. */
export const completeHeaders = ({ headers }: NonNullable<Reply>, context: ResponseContext): Headers => {
  headers['content-type'] ??= 'application/json'
  addUnlessSet(headers)
  return addOfRequest(headers, context)
}

const encoder = new TextEncoder()

const streamOf = (chunks: ChunkReader): ReadableStream<Uint8Array> => {
  let isCancelled = false
  return new ReadableStream({
    async pull(controller) {
      const chunk = await chunks.next()
      if (isCancelled) return
      if (chunk !== undefined) controller.enqueue(typeof chunk === 'string' ? encoder.encode(chunk) : chunk)
      if (chunk === undefined || chunks.hasEnded()) controller.close()
    },
    cancel() {
      isCancelled = true
      return chunks.cancel()
    },
  })
}

/** Adds the same headers to a response that was created otherwise; pages and their files also receive those of pages. */
export const completeResponse = (response: Response, context: ResponseContext): void => {
  if (response === context.completed) return
  for (const [name, value] of isData(response) ? OF_DATA : OF_PAGES) {
    if (!response.headers.has(name)) response.headers.set(name, value)
  }
  for (const [name, value] of Object.entries(addOfRequest({}, context))) {
    if (name === 'vary') response.headers.append(name, value)
    else response.headers.set(name, value)
  }
}

/** JSON, an event stream or no body: nothing that a browser displays. */
const isData = ({ headers }: Response): boolean =>
  /^(application\/json|text\/event-stream|$)/.test(headers.get('content-type') ?? '')

/** Unless the route has set others: a browser does not interpret the data as a page, and stores nothing. */
const addUnlessSet = (headers: Headers): Headers => {
  headers['x-content-type-options'] ??= 'nosniff'
  headers['cache-control'] ??= 'no-store'
  return headers
}

const OF_DATA = Object.entries(addUnlessSet({}))

/** The strictest headers for what a browser displays; pages set a policy of their own. */
const OF_PAGES = [
  ...OF_DATA,
  ['x-frame-options', 'DENY'],
  ['referrer-policy', 'no-referrer'],
  ['cross-origin-resource-policy', 'same-origin'],
  ['content-security-policy', "default-src 'none'; frame-ancestors 'none'"],
] as const

/** Headers that no route changes. */
const addOfRequest = (headers: Headers, { requestId, nodeId, crossOrigin }: ResponseContext): Headers => {
  headers['x-request-id'] = requestId
  if (nodeId !== null) headers['x-zael-node'] = nodeId
  if (crossOrigin !== undefined) addCrossOrigin(headers, crossOrigin)
  return headers
}

const addCrossOrigin = (headers: Headers, { allowed, exposed, varies }: CrossOrigin): void => {
  headers['access-control-expose-headers'] = exposed
  if (allowed !== undefined) headers['access-control-allow-origin'] = allowed
  if (varies) headers.vary = 'Origin'
}
