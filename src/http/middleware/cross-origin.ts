import type { MiddlewareHandler } from 'hono'
import { cors } from 'hono/cors'
import { RATE_LIMIT_HEADERS } from '../../web/rate-limit-headers.ts'
import type { AppEnv } from '../app-dependencies.ts'

const PREFLIGHT_SECONDS = 600
const EXPOSED = ['x-request-id', 'x-zael-node', ...RATE_LIMIT_HEADERS]

/** Lets browsers call from `origins`. No cookies: keys travel in headers. Any request header may be sent. */
export const crossOrigin = (origins: readonly string[]): MiddlewareHandler<AppEnv> => {
  const isAny = origins.includes('*')
  const preflight = cors({
    origin: isAny ? '*' : [...origins],
    allowMethods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    exposeHeaders: EXPOSED,
    maxAge: PREFLIGHT_SECONDS,
  })
  const [exposed, varies] = [EXPOSED.join(','), !isAny]
  const allowedOf = (origin: string | undefined): string | undefined => {
    if (isAny) return '*'
    return origin !== undefined && origins.includes(origin) ? origin : undefined
  }
  return (c, next) => {
    if (c.req.method === 'OPTIONS') return preflight(c, next)
    c.get('answering').crossOrigin = { allowed: allowedOf(c.req.header('origin')), exposed, varies }
    return next()
  }
}
