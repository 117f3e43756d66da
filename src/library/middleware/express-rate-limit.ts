import type { Request, RequestHandler, Response } from 'express'
import type { Logger } from '../../core/ports/platform.ts'
import type { RequestFacts, ResponseFacts } from '../requests/costs.ts'
import { createRequestLimiter, type RequestOutcome } from './middleware.ts'
import type { RateLimitOptions } from './rate-limit-options.ts'
import { describeResponse, type HeaderWriter } from './response-headers.ts'

/**
 * Limits requests of an Express app. Throws `ZaelError('invalid_request')` whose `field` names the unknown or
 * invalid option.
 * JSON responses are read from the argument of `res.json()`, if they are settled.
 *
 * @example
 * app.use(rateLimit({ limits: [{ name: 'rps', capacity: 10, refill_rate: 2 }], exempt: ['/health'] }))
 */
export const rateLimit = (options: RateLimitOptions<Request> = {}): RequestHandler => {
  const limiter = createRequestLimiter(options)
  return async (request, response, next) => {
    try {
      const outcome = await limiter.check(new ExpressRequestFacts(request, limiter.logger))
      const { limitHeaders, earlyResponse, finish, end } = outcome
      if (limitHeaders) describeResponse(response, limitHeaders, HEADERS)
      if (earlyResponse) {
        response.status(earlyResponse.status).json(earlyResponse.body)
        return
      }
      if (finish || end) finishLater(response, outcome)
    } catch (error) {
      next(error)
      return
    }
    next()
  }
}

const finishLater = (response: Response, { finish, end }: RequestOutcome): void => {
  const facts = finish && responseFacts(response)
  const closed = async (): Promise<void> => {
    if (facts) await finish?.(facts)
    await end?.()
  }
  // the client may have disconnected during the decision
  if (response.closed) void closed()
  else response.once('close', () => void closed())
}

const HEADERS: HeaderWriter<Response> = {
  set: (response, name, value) => void response.setHeader(name, value),
  remove: (response, name) => response.removeHeader(name),
}

/** Reads of a request only what is used. */
class ExpressRequestFacts implements RequestFacts<Request> {
  readonly native: Request
  readonly logger: Logger

  constructor(request: Request, logger: Logger) {
    this.native = request
    this.logger = logger
  }

  get method(): string {
    return this.native.method
  }

  get path(): string {
    return this.native.originalUrl.replace(/\?.*$/s, '')
  }

  get mountedPath(): string {
    return this.native.path
  }

  get connection(): string {
    return this.native.socket.remoteAddress ?? 'unknown'
  }

  get clientAddress(): string | undefined {
    const { native } = this
    return native.app.enabled('trust proxy') ? native.ip : undefined
  }

  /** Bound, because functions of an app take it from the request. */
  get header(): RequestFacts['header'] {
    return (name) => this.native.get(name)
  }
}

const responseFacts = (response: Response): ResponseFacts => {
  let body: unknown
  const send = response.json.bind(response)
  response.json = (json) => {
    body = json
    return send(json)
  }
  return {
    get status() {
      return response.statusCode
    },
    header: (name) => response.get(name),
    json: async () => body,
  }
}
