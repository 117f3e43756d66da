import type { MiddlewareHandler } from 'hono'
import type { AppEnv } from '../app-dependencies.ts'

/** Checks and settlements are small: 25 checks with every field take 20 KiB. */
const MAX_LIMITS_BODY_BYTES = 65_536

/** Sets the most bytes that a route may read of a body. Only routes read bodies, so no body is read before authentication. */
export const bodyBounds = (maxBodyBytes: number): MiddlewareHandler<AppEnv> => {
  const ofLimits = Math.min(maxBodyBytes, MAX_LIMITS_BODY_BYTES)
  return (c, next) => {
    c.set('maxBodyBytes', c.req.path.startsWith('/v1/limits/') ? ofLimits : maxBodyBytes)
    return next()
  }
}
