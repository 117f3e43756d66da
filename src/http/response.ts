import type { Headers } from '../web/rate-limit-headers.ts'

/** The part of a response that does not depend on its route; created by middleware before the route. */
export interface ResponseContext {
  readonly requestId: string
  readonly nodeId: string | null
  /** undefined: no other origin may call */
  crossOrigin: CrossOrigin | undefined
  /** The response that `respondJson` created with all headers. */
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

/** A JSON response with all its headers, `headers` among them. A Node server writes it without reading it again. */
export const respondJson = (
  context: ResponseContext,
  body: unknown,
  status: number,
  headers: Headers = {},
): Response => {
  headers['content-type'] ??= 'application/json'
  addUnlessSet(headers)
  addOfRequest(headers, context)
  const response = new Response(JSON.stringify(body), { status, headers })
  context.completed = response
  return response
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
