import type { Context, MiddlewareHandler } from 'hono'
import { connectionAddress } from '../../web/client.ts'
import { scanJson } from '../../web/json-scan.ts'
import type { AnswerFacts, RequestFacts } from '../requests/costs.ts'
import { createRequestLimiter, type RequestLimiter } from './middleware.ts'
import type { RateLimitOptions } from './rate-limit-options.ts'
import { headerChanges, type LimitHeaders } from './response-headers.ts'

/**
 * Limits requests of a Hono app. Throws `ZaelError('invalid_request')` whose `field` names the unknown or
 * invalid option.
 *
 * @example
 * app.use(rateLimit({ limits: [{ name: 'rps', capacity: 10, refill_rate: 2 }], exempt: ['/health'] }))
 */
export const rateLimit = (options: RateLimitOptions<Context> = {}): MiddlewareHandler => {
  const limiter = createRequestLimiter(options)
  return async (c, next) => {
    const { earlyResponse, limitHeaders, finish } = await limiter.check(requestFacts(c, limiter))
    if (earlyResponse !== undefined) {
      const headers = limitHeaders && headerChanges(c, limitHeaders).set
      return c.json(earlyResponse.body, earlyResponse.status, { ...headers })
    }
    await next()
    if (c.res.status !== SWITCHING) setHeaders(c, limitHeaders)
    await finish(responseFacts(c.res))
  }
}

/** A 101 response hands over the connection and cannot be created again with other headers. */
const SWITCHING = 101

const setHeaders = (c: Context, limitHeaders: LimitHeaders | undefined): void => {
  if (limitHeaders === undefined) return
  const { remove, set } = headerChanges(c, limitHeaders)
  for (const name of remove) c.header(name, undefined)
  for (const name in set) c.header(name, set[name])
}

const requestFacts = (c: Context, { logger }: RequestLimiter<Context>): RequestFacts<Context> => {
  // the index of this middleware; it changes with the next handler
  const index = c.req.routeIndex
  return {
    method: c.req.method,
    path: c.req.path,
    get mountedPath() {
      return pathBelow(c.req.matchedRoutes[index]?.basePath, c.req.path)
    },
    connection: connectionAddress(c.env, c.req.raw),
    native: c,
    logger,
    header: (name) => c.req.header(name),
  }
}

/**
 * The path below the one at which a sub-app is mounted (`/:tenant/api`), segment by segment. The whole path where the segments
 * cannot be counted, and with versions of Hono whose routes have no base path.
 */
const pathBelow = (basePath: string | undefined, path: string): string => {
  if (basePath === undefined || /[*{?]/.test(basePath)) return path
  const depth = basePath.split('/').filter(Boolean).length
  return `/${path
    .split('/')
    .slice(depth + 1)
    .join('/')}`
}

const responseFacts = (response: Response): AnswerFacts => ({
  status: response.status,
  header: (name) => response.headers.get(name) ?? undefined,
  json: () => boundedJson(response),
})

/** Responses that contain usage are small; larger bodies are passed on unread. */
const MAX_BYTES = 1_048_576

const JSON_TYPE = /^application\/(json|[\w.-]+\+json)\s*(;|$)/i

/** The body of a response if it is JSON of at most 1 MiB, else undefined. The response is not changed. */
export const boundedJson = async (response: Response): Promise<unknown> => {
  if (response.body === null || !isPlainJson(response.headers)) return undefined
  const text = await boundedText(response.clone().body)
  return text === undefined ? undefined : boundedValue(text)
}

const isPlainJson = (headers: Headers): boolean =>
  JSON_TYPE.test(headers.get('content-type') ?? '') &&
  !headers.has('content-encoding') &&
  Number(headers.get('content-length') ?? 0) <= MAX_BYTES

const boundedText = async (body: ReadableStream<Uint8Array> | null): Promise<string | undefined> => {
  if (body === null) return undefined
  const reader = body.getReader()
  const decoder = new TextDecoder()
  let text = ''
  for (let bytes = 0; ; ) {
    const { value, done } = await reader.read()
    if (done) return text + decoder.decode()
    bytes += value.byteLength
    if (bytes > MAX_BYTES) break
    text += decoder.decode(value, { stream: true })
  }
  // Not awaited: it ends when the client has read the rest.
  reader.cancel().catch(() => {})
  return undefined
}

/** Characters scanned per turn of the event loop, about 2 ms. */
const CHARS_PER_TURN = 131_072

/** Undefined for JSON with more parts than a request may have: it may repeat input of a client, and parsing cannot yield. */
const boundedValue = async (text: string): Promise<unknown> => {
  const scan = scanJson(text)
  while (!scan.run(CHARS_PER_TURN)) await new Promise((resolve) => setTimeout(resolve, 0))
  return scan.exceeded() === undefined ? parsed(text) : undefined
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
