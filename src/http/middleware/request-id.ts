import type { MiddlewareHandler } from 'hono'
import type { AppDependencies, AppEnv } from '../app-dependencies.ts'

const ACCEPTABLE = /^[A-Za-z0-9._-]{1,128}$/

/** Sets `requestId`, the caller's own where it sends a sensible one, and names it and the node in every answer. */
export const requestId =
  ({ secrets, settings }: Pick<AppDependencies, 'secrets' | 'settings'>): MiddlewareHandler<AppEnv> =>
  async (c, next) => {
    const given = c.req.header('x-request-id')
    const id = given !== undefined && ACCEPTABLE.test(given) ? given : `req_${secrets.id()}`
    c.set('requestId', id)
    await next()
    c.res.headers.set('x-request-id', id)
    if (settings.nodeId !== null) c.res.headers.set('X-Zael-Node', settings.nodeId)
  }
