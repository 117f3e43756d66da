import type { Context, MiddlewareHandler } from 'hono'
import { connectionAddress } from '../../http/client/connection-address.ts'
import type { AnswerFacts, RequestFacts } from '../requests/request-facts.ts'
import { boundedJson } from './bounded-json.ts'
import { createGate } from './gate.ts'
import type { RateLimitOptions } from './rate-limit-options.ts'

/**
 * Limits requests of a Hono app. Throws `ZaelError('invalid_request')` that names the option which cannot be.
 *
 * @example
 * app.use(rateLimit({ limits: [{ name: 'rps', capacity: 10, refill_rate: 2 }], exempt: ['/health'] }))
 */
export const rateLimit = (options: RateLimitOptions<Context>): MiddlewareHandler => {
  const admit = createGate(options)
  return async (c, next) => {
    const { refusal, headers, finish } = await admit(requestFacts(c))
    if (refusal !== undefined) return c.json(refusal.body, refusal.status, headers)
    await next()
    if (c.res.status !== SWITCHING) for (const [name, value] of Object.entries(headers)) c.header(name, value)
    await finish(answerFacts(c.res))
  }
}

/** An answer that hands the connection over cannot be made anew with other headers. */
const SWITCHING = 101

const requestFacts = (c: Context): RequestFacts<Context> => ({
  method: c.req.method,
  path: new URL(c.req.url).pathname,
  connection: connectionAddress(c.env),
  native: c,
  header: (name) => c.req.header(name),
})

const answerFacts = (answer: Response): AnswerFacts => ({
  status: answer.status,
  header: (name) => answer.headers.get(name) ?? undefined,
  json: () => boundedJson(answer),
})
