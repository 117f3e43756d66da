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

/** A stream of server-sent events before it is sent. */
export interface StreamReply {
  readonly status: 200
  readonly headers: Headers
  readonly events: EventReader
}

/** The events of a stream, one at a time. */
export interface EventReader {
  /** The next event; undefined after `cancel`. Never rejects. */
  next(): Promise<StreamEvent | undefined>
  /** Ends the stream when its reader disconnects. Never rejects. */
  cancel(): Promise<void>
}

export interface StreamEvent {
  /** The event as it is sent, with the empty line at its end. */
  readonly text: string
  readonly isLast: boolean
}

/** undefined: the client has disconnected, and nothing can be sent. */
export type Reply = JsonReply | StreamReply | undefined

/** nginx's status for a client that has closed the connection. It is not sent, and appears only in access logs. */
const CLIENT_CLOSED_REQUEST = 499

/** The response of a reply with all its headers. A Node server writes it without reading it again. */
export const respond = (context: ResponseContext, reply: Reply): Response => {
  if (reply === undefined) return new Response(null, { status: CLIENT_CLOSED_REQUEST })
  const headers = completeHeaders(reply, context)
  const body = 'events' in reply ? streamOf(reply.events) : JSON.stringify(reply.body)
  const response = new Response(body, { status: reply.status, headers })
  context.completed = response
  return response
}

/** Adds the headers that do not depend on the route. */
export const completeHeaders = ({ headers }: JsonReply | StreamReply, context: ResponseContext): Headers => {
  headers['content-type'] ??= 'application/json'
  addUnlessSet(headers)
  return addOfRequest(headers, context)
}

const encoder = new TextEncoder()

const streamOf = (events: EventReader): ReadableStream<Uint8Array> =>
  new ReadableStream({
    async pull(controller) {
      const event = await events.next()
      if (event === undefined) return
      controller.enqueue(encoder.encode(event.text))
      if (event.isLast) controller.close()
    },
    cancel: () => events.cancel(),
  })

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
