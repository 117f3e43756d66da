import type { Context, MiddlewareHandler, Next } from 'hono'
import type { Logger } from '../../core/ports/platform.ts'
import { connectionAddress } from '../../web/client.ts'
import type { RequestFacts, ResponseFacts } from '../requests/costs.ts'
import { boundedJson } from './bounded-json.ts'
import { createRequestLimiter, type RequestOutcome } from './middleware.ts'
import type { RateLimitOptions } from './rate-limit-options.ts'
import { describeResponse, type HeaderWriter, headersOf } from './response-headers.ts'

/**
 * Limits requests of a Hono app. Throws `ZaelError('invalid_request')` whose `field` names the unknown or
 * invalid option.
 *
 * Headers are set before the handler runs: a Node server sends a response that Hono builds with them in one write, but has to
 * copy a response, with its body as a stream, whose headers change afterwards.
 *
 * @example
 * app.use(rateLimit({ limits: [{ name: 'rps', capacity: 10, refill_rate: 2 }], exempt: ['/health'] }))
 */
export const rateLimit = (options: RateLimitOptions<Context> = {}): MiddlewareHandler => {
  const limiter = createRequestLimiter(options)
  return async (c, next) => {
    const outcome = await limiter.check(new HonoRequestFacts(c, limiter.logger))
    const { limitHeaders, earlyResponse } = outcome
    if (limitHeaders) describeResponse(c, limitHeaders, PREPARED)
    if (earlyResponse) return c.json(earlyResponse.body, earlyResponse.status)
    await passOn(c, next, outcome)
  }
}

const passOn = async (c: Context, next: Next, outcome: RequestOutcome): Promise<void> => {
  const { limitHeaders, finish, end } = outcome
  let facts = FAILED
  let hasResponse = false
  try {
    await next()
    if (limitHeaders) restoreHeaders(c)
    if (finish) facts = responseFacts(c.res)
    hasResponse = true
  } finally {
    if (finish) await finish(facts)
    if (end) await endWith(c, hasResponse, end)
  }
}

/** Calls `end` when the body of the response has been read, or its reader has left; at once if there is none. */
const endWith = async (c: Context, hasResponse: boolean, end: () => Promise<void>): Promise<void> => {
  const { body } = hasResponse ? c.res : { body: null }
  if (body === null) return end()
  const { res } = c
  // Hono would append the headers of the previous response to those of the next
  c.res = undefined
  c.res = new Response(endingWith(body, end), res)
}

const endingWith = (
  body: ReadableStream<Uint8Array>,
  end: () => Promise<void>,
): ReadableStream<Uint8Array> => {
  const reader = body.getReader()
  return new ReadableStream({
    async pull(controller) {
      try {
        const { done, value } = await reader.read()
        if (!done) return controller.enqueue(value)
        await end()
        controller.close()
      } catch (error) {
        await end()
        controller.error(error)
      }
    },
    async cancel(reason) {
      await end()
      await reader.cancel(reason)
    },
  })
}

/** Hono throws what a handler throws if it is no `Error`; the server then responds with a status of 500. */
const FAILED: ResponseFacts = { status: 500, header: () => undefined, json: async () => undefined }

/** Headers of the response that Hono is going to build. */
const PREPARED: HeaderWriter<Context> = {
  set: (c, name, value) => c.header(name, value),
  remove: (c, name) => c.header(name, undefined),
}

/** A 101 response hands over the connection and cannot be created again with other headers. */
const SWITCHING = 101

/** Marks the response of a handler that has written to Node's socket itself. */
const ALREADY_SENT = 'x-hono-already-sent'

/**
 * Sets headers that the response lacks: Hono drops prepared headers if a handler returns a `Response` that it has created, and a
 * middleware may replace the response.
 */
const restoreHeaders = (c: Context): void => {
  const { res } = c
  if (res.status === SWITCHING) return
  const headers = headersOf(c)
  for (const name in headers) {
    if (res.headers.get(name) === headers[name]) continue
    if (res.headers.has(ALREADY_SENT)) return
    c.header(name, headers[name])
  }
}

/** Reads of a request only what is used. */
class HonoRequestFacts implements RequestFacts<Context> {
  readonly native: Context
  readonly logger: Logger
  /** The index of this middleware among the matched routes; it changes with the next handler. */
  readonly #index: number

  constructor(c: Context, logger: Logger) {
    this.native = c
    this.logger = logger
    this.#index = c.req.routeIndex
  }

  get method(): string {
    return this.native.req.method
  }

  get path(): string {
    return this.native.req.path
  }

  get mountedPath(): string {
    const { req } = this.native
    return pathBelow(req.matchedRoutes[this.#index]?.basePath, req.path)
  }

  get connection(): string {
    return connectionAddress(this.native.env, this.native.req.raw)
  }

  /** Bound, because functions of an app take it from the request. */
  get header(): RequestFacts['header'] {
    return (name) => this.native.req.header(name)
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

const responseFacts = (response: Response): ResponseFacts => ({
  status: response.status,
  header: (name) => response.headers.get(name) ?? undefined,
  json: () => boundedJson(response),
})
