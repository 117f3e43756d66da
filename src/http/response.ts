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

/** Adds the same headers to a response that was created otherwise. */
export const completeResponse = (response: Response, context: ResponseContext): void => {
  if (response === context.completed) return
  for (const [name, value] of UNLESS_SET) {
    if (!response.headers.has(name)) response.headers.set(name, value)
  }
  for (const [name, value] of Object.entries(addOfRequest({}, context))) {
    if (name === 'vary') response.headers.append(name, value)
    else response.headers.set(name, value)
  }
}

/** The strictest headers for browsers, unless the route has set others. */
const addUnlessSet = (headers: Headers): Headers => {
  headers['x-content-type-options'] ??= 'nosniff'
  headers['x-frame-options'] ??= 'DENY'
  headers['referrer-policy'] ??= 'no-referrer'
  headers['cross-origin-resource-policy'] ??= 'same-origin'
  headers['content-security-policy'] ??= "default-src 'none'; frame-ancestors 'none'"
  headers['cache-control'] ??= 'no-store'
  return headers
}

const UNLESS_SET = Object.entries(addUnlessSet({}))

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
