import type { MiddlewareHandler } from 'hono'
import { type Answering, complete } from '../answering/answering.ts'
import type { AppDependencies, AppEnv } from '../app-dependencies.ts'

const ACCEPTABLE = /^[A-Za-z0-9._-]{1,128}$/

/**
 * Sets `requestId`, the caller's own where it sends a sensible one, and begins `answering`: every answer names the request
 * and the node, and tells browsers how little they may do with it.
 */
export const everyAnswer =
  ({
    secrets,
    settings: { nodeId },
  }: Pick<AppDependencies, 'secrets' | 'settings'>): MiddlewareHandler<AppEnv> =>
  async (c, next) => {
    const given = c.req.header('x-request-id')
    const requestId = given !== undefined && ACCEPTABLE.test(given) ? given : `req_${secrets.id()}`
    const answering: Answering = { requestId, nodeId, crossOrigin: undefined, whole: undefined }
    c.set('requestId', requestId)
    c.set('answering', answering)
    await next()
    complete(c.res, answering)
  }
