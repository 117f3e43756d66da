import type { Headers } from '../web/rate-limit-headers.ts'

/** What the answer to one request says, whatever its route does; begun by middleware before the route. */
export interface ResponseContext {
  readonly requestId: string
  readonly nodeId: string | null
  /** undefined: no page from elsewhere may call */
  crossOrigin: CrossOrigin | undefined
  /** The answer that was made with all of it. */
  completed: Response | undefined
}

/** What browsers are told of pages from elsewhere. */
export interface CrossOrigin {
  /** The origin that may read the answer, or `*`; undefined: that of this request may not. */
  readonly allowed: string | undefined
  /** Names of headers that it may read. */
  readonly exposed: string
  /** Whether another origin would be told otherwise. */
  readonly varies: boolean
}

/** A JSON answer with all its headers, to which `headers` are added; a Node server writes such a one as it is. */
export const respondJson = (
  responseContext: ResponseContext,
  body: unknown,
  status: number,
  headers: Headers = {},
): Response => {
  headers['content-type'] ??= 'application/json'
  addUnlessSet(headers)
  addOfRequest(headers, responseContext)
  const answer = new Response(JSON.stringify(body), { status, headers })
  responseContext.completed = answer
  return answer
}

/** Adds to an answer that was made otherwise what `answerJson` adds to its own. */
export const completeResponse = (answer: Response, responseContext: ResponseContext): void => {
  if (answer === responseContext.completed) return
  for (const [name, value] of UNLESS_SET) {
    if (!answer.headers.has(name)) answer.headers.set(name, value)
  }
  for (const [name, value] of Object.entries(addOfRequest({}, responseContext))) {
    if (name === 'vary') answer.headers.append(name, value)
    else answer.headers.set(name, value)
  }
}

/** The strictest headers for browsers; an answer that needs others has set them itself. */
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

/** What no answer says otherwise. */
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
