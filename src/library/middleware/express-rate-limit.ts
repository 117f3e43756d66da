import type { Request, RequestHandler, Response } from 'express'
import type { AnswerFacts, RequestFacts } from '../requests/costs.ts'
import { createGate, type Gate } from './middleware.ts'
import type { RateLimitOptions } from './rate-limit-options.ts'
import { headerChanges, type LimitHeaders } from './response-headers.ts'

/**
 * Limits requests of an Express app. Throws `ZaelError('invalid_request')` that names the option which is unknown or invalid.
 * Of JSON answers it reads what is given to `res.json()`.
 *
 * @example
 * app.use(rateLimit({ limits: [{ name: 'rps', capacity: 10, refill_rate: 2 }], exempt: ['/health'] }))
 */
export const rateLimit = (options: RateLimitOptions<Request> = {}): RequestHandler => {
  const gate = createGate(options)
  return async (request, response, next) => {
    try {
      const { refusal, limitHeaders, finish } = await gate.admit(requestFacts(request, gate))
      setHeaders(response, limitHeaders)
      if (refusal !== undefined) {
        response.status(refusal.status).json(refusal.body)
        return
      }
      const answer = watched(response)
      response.once('close', () => void finish(answer))
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

const requestFacts = (request: Request, { logger }: Gate<Request>): RequestFacts<Request> => ({
  method: request.method,
  path: request.originalUrl.replace(/\?.*$/s, ''),
  mountedPath: request.path,
  connection: request.socket.remoteAddress ?? 'unknown',
  clientAddress: request.app.enabled('trust proxy') ? request.ip : undefined,
  native: request,
  logger,
  header: (name) => request.get(name),
})

const watched = (response: Response): AnswerFacts => {
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
