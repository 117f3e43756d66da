import type { Request, RequestHandler, Response } from 'express'
import type { AnswerFacts, RequestFacts } from '../requests/costs.ts'
import { createRequestLimiter, type RequestLimiter } from './middleware.ts'
import type { RateLimitOptions } from './rate-limit-options.ts'
import { headerChanges, type LimitHeaders } from './response-headers.ts'

/**
 * Limits requests of an Express app. Throws `ZaelError('invalid_request')` whose `field` names the unknown or
 * invalid option.
 * JSON responses are read from the argument of `res.json()`.
 *
 * @example
 * app.use(rateLimit({ limits: [{ name: 'rps', capacity: 10, refill_rate: 2 }], exempt: ['/health'] }))
 */
export const rateLimit = (options: RateLimitOptions<Request> = {}): RequestHandler => {
  const limiter = createRequestLimiter(options)
  return async (request, response, next) => {
    try {
      const { earlyResponse, limitHeaders, finish } = await limiter.check(requestFacts(request, limiter))
      setHeaders(response, limitHeaders)
      if (earlyResponse !== undefined) {
        response.status(earlyResponse.status).json(earlyResponse.body)
        return
      }
      const facts = responseFacts(response)
      response.once('close', () => void finish(facts))
    } catch (error) {
      next(error)
      return
    }
    next()
  }
}

const setHeaders = (response: Response, limitHeaders: LimitHeaders | undefined): void => {
  if (limitHeaders === undefined) return
  const { remove, set } = headerChanges(response, limitHeaders)
  for (const name of remove) response.removeHeader(name)
  response.set(set)
}

const requestFacts = (request: Request, { logger }: RequestLimiter<Request>): RequestFacts<Request> => ({
  method: request.method,
  path: request.originalUrl.replace(/\?.*$/s, ''),
  mountedPath: request.path,
  connection: request.socket.remoteAddress ?? 'unknown',
  clientAddress: request.app.enabled('trust proxy') ? request.ip : undefined,
  native: request,
  logger,
  header: (name) => request.get(name),
})

const responseFacts = (response: Response): AnswerFacts => {
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
