import Fastify, { type FastifyInstance } from 'fastify'
import { rateLimitHeaders, rejection } from 'zael'
import { createLimiter, type LimitedAppOptions } from './limits.ts'

/** A hook for all routes; `fastify.register` with a prefix would limit those of a plugin. */
export const createFastifyApp = (options: LimitedAppOptions = {}): FastifyInstance => {
  const limiter = createLimiter(options)
  const app = Fastify()
  app.addHook('onRequest', async (request, reply) => {
    // with `trustProxy`, the address of the client behind a proxy
    const decision = await limiter.check(request.ip)
    const rejected = rejection(decision)
    if (rejected) return reply.code(rejected.status).headers(rejected.headers).send(rejected.body)
    reply.headers(rateLimitHeaders(decision))
  })
  app.addHook('onClose', () => limiter.close())
  app.get('/', async () => ({ hello: 'fastify' }))
  return app
}
