import type { Request, RequestHandler, Response } from 'express'
import type { AnswerFacts, RequestFacts } from '../requests/request-facts.ts'
import { createGate } from './gate.ts'
import type { RateLimitOptions } from './rate-limit-options.ts'

/**
 * Limits requests of an Express app. Throws `ZaelError('invalid_request')` that names the option which cannot be. Of JSON
 * answers it reads what is given to `res.json()`.
 *
 * @example
 * app.use(rateLimit({ limits: [{ name: 'rps', capacity: 10, refill_rate: 2 }], exempt: ['/health'] }))
 */
export const rateLimit = (options: RateLimitOptions<Request>): RequestHandler => {
  const admit = createGate(options)
  return async (request, response, next) => {
    try {
      const { refusal, headers, finish } = await admit(requestFacts(request))
      response.set(headers)
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

const requestFacts = (request: Request): RequestFacts<Request> => ({
  method: request.method,
  path: request.originalUrl.replace(/\?.*$/s, ''),
  connection: request.socket.remoteAddress ?? 'unknown',
  native: request,
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
