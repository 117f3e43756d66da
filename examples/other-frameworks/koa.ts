import Koa, { type Middleware } from 'koa'
import { type RateLimiter, rateLimitHeaders, rejection } from 'zael'
import { createLimiter, type LimitedAppOptions } from './limits.ts'

const limit =
  (limiter: RateLimiter): Middleware =>
  async (ctx, next) => {
    // with `app.proxy`, the address of the client behind a proxy
    const decision = await limiter.check(ctx.ip)
    const rejected = rejection(decision)
    ctx.set(rateLimitHeaders(decision))
    if (!rejected) return next()
    ctx.status = rejected.status
    ctx.body = rejected.body
  }

export const createKoaApp = (options: LimitedAppOptions = {}): Koa => {
  const app = new Koa()
  app.use(limit(createLimiter(options)))
  app.use((ctx) => {
    ctx.body = { hello: 'koa' }
  })
  return app
}
