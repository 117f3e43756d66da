import { cors } from 'hono/cors'

/** Every header that a browser's code may want to read. */
export const EXPOSED_HEADERS: readonly string[] = [
  'x-request-id',
  'x-zael-node',
  'x-zael-degraded',
  'retry-after',
  'retry-after-ms',
  'x-should-retry',
  'x-ratelimit-limit-requests',
  'x-ratelimit-remaining-requests',
  'x-ratelimit-reset-requests',
  'x-ratelimit-limit-tokens',
  'x-ratelimit-remaining-tokens',
  'x-ratelimit-reset-tokens',
  'x-ratelimit-limit',
  'x-ratelimit-remaining',
  'x-ratelimit-limit-tpm',
  'x-ratelimit-remaining-tpm',
  'x-ratelimit-reset',
  'ratelimit-policy',
  'ratelimit',
]

const PREFLIGHT_SECONDS = 600

/** Lets browsers call from `origins`. No cookies: keys travel in headers. Any request header may be sent. */
export const crossOrigin = (origins: readonly string[]) =>
  cors({
    origin: origins.includes('*') ? '*' : [...origins],
    allowMethods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    exposeHeaders: [...EXPOSED_HEADERS],
    maxAge: PREFLIGHT_SECONDS,
  })
