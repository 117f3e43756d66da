import { cors } from 'hono/cors'
import { RATE_LIMIT_HEADERS } from '../headers/rate-limit-headers.ts'

const PREFLIGHT_SECONDS = 600

/** Lets browsers call from `origins`. No cookies: keys travel in headers. Any request header may be sent. */
export const crossOrigin = (origins: readonly string[]) =>
  cors({
    origin: origins.includes('*') ? '*' : [...origins],
    allowMethods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    exposeHeaders: ['x-request-id', 'x-zael-node', ...RATE_LIMIT_HEADERS],
    maxAge: PREFLIGHT_SECONDS,
  })
