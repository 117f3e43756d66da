import type { MiddlewareHandler } from 'hono'
import { cors } from 'hono/cors'
import { ZaelError } from '../core/model/errors.ts'
import { isLoopback } from '../platform/loopback.ts'
import type { HeaderOf } from '../web/client.ts'
import { RATE_LIMIT_HEADERS } from '../web/rate-limit-headers.ts'
import type { AppDependencies, AppEnv, HttpSettings } from './app-dependencies.ts'
import { type CrossOrigin, completeResponse, type ResponseContext } from './response.ts'

const ACCEPTABLE = /^[A-Za-z0-9._-]{1,128}$/

type IdNeeds = Pick<AppDependencies, 'secrets' | 'settings'>

/** The context of a response; its request id is the client's own, if it is acceptable. */
export const newResponseContext = (
  { secrets, settings: { nodeId } }: IdNeeds,
  given: string | undefined,
): ResponseContext => ({
  requestId: given !== undefined && ACCEPTABLE.test(given) ? given : `req_${secrets.id()}`,
  nodeId,
  crossOrigin: undefined,
  completed: undefined,
})

/**
 * Sets `requestId` and `responseContext`: every response contains the ids of the request
 * and of the node, and its security headers.
 */
export const everyResponse =
  (needs: IdNeeds): MiddlewareHandler<AppEnv> =>
  async (c, next) => {
    const responseContext = newResponseContext(needs, c.req.header('x-request-id'))
    c.set('requestId', responseContext.requestId)
    c.set('responseContext', responseContext)
    await next()
    completeResponse(c.res, responseContext)
  }

/** The same steps for a request without Hono: the context of its response. Throws `forbidden` as `localOnly`. */
export const createBegin = (needs: IdNeeds): ((header: HeaderOf) => ResponseContext) => {
  const { isLocalOnly, corsOrigins } = needs.settings
  const requireLocal = createLocalCheck(corsOrigins)
  const crossOriginOf = createCrossOrigin(corsOrigins)
  return (header) => {
    const origin = header('origin')
    if (isLocalOnly) requireLocal(header('host'), origin)
    const context = newResponseContext(needs, header('x-request-id'))
    context.crossOrigin = crossOriginOf(origin)
    return context
  }
}

/** Checks and settlements are small: 25 checks with every field take 20 KiB. */
const MAX_LIMITS_BODY_BYTES = 65_536

type BoundSettings = Pick<HttpSettings, 'maxBodyBytes' | 'maxModelBodyBytes'>

/** Sets the maximum size of a body. Only routes read bodies, so no body is read before authentication. */
export const bodyBounds = (settings: BoundSettings): MiddlewareHandler<AppEnv> => {
  const boundOf = createBodyBound(settings)
  return (c, next) => {
    c.set('maxBodyBytes', boundOf(c.req.path))
    return next()
  }
}

/** The maximum size of a body by its path, in bytes. */
export const createBodyBound =
  ({ maxBodyBytes, maxModelBodyBytes }: BoundSettings) =>
  (path: string): number => {
    if (!path.startsWith('/v1/')) return maxBodyBytes
    if (path.startsWith('/v1/limits/')) return Math.min(maxBodyBytes, MAX_LIMITS_BODY_BYTES)
    return maxModelBodyBytes
  }

const PREFLIGHT_SECONDS = 600

const EXPOSED = ['x-request-id', 'x-zael-node', 'etag', ...RATE_LIMIT_HEADERS]

/** Allows browsers to call from `origins`. Without cookies: keys are sent in headers. Any request header is allowed. */
export const crossOrigin = (origins: readonly string[]): MiddlewareHandler<AppEnv> => {
  const isAny = origins.includes('*')
  const preflight = cors({
    origin: isAny ? '*' : [...origins],
    allowMethods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    exposeHeaders: EXPOSED,
    maxAge: PREFLIGHT_SECONDS,
  })
  const crossOriginOf = createCrossOrigin(origins)
  return (c, next) => {
    if (c.req.method === 'OPTIONS') return preflight(c, next)
    c.get('responseContext').crossOrigin = crossOriginOf(c.req.header('origin'))
    return next()
  }
}

/** The CORS headers for the Origin of a request; undefined if no other origin may call. */
export const createCrossOrigin = (
  origins: readonly string[],
): ((origin: string | undefined) => CrossOrigin | undefined) => {
  if (origins.length === 0) return () => undefined
  const [exposed, isAny] = [EXPOSED.join(','), origins.includes('*')]
  const allowedOf = (origin: string | undefined): string | undefined => {
    if (isAny) return '*'
    return origin !== undefined && origins.includes(origin) ? origin : undefined
  }
  return (origin) => ({ allowed: allowedOf(origin), exposed, varies: !isAny })
}

const SET_TOKENS = 'Set ADMIN_TOKEN and VIEWER_TOKEN to lift this'

/**
 * Protects a server with the public default tokens from web pages of other sites, as the developer's browser can reach it.
 * Requests of such pages have an Origin, or a Host that is not loopback.
 */
export const localOnly = (corsOrigins: readonly string[]): MiddlewareHandler<AppEnv> => {
  const requireLocal = createLocalCheck(corsOrigins)
  return (c, next) => {
    requireLocal(c.req.header('host'), c.req.header('origin'))
    return next()
  }
}

/** Throws `forbidden` for a Host or Origin of another site. */
export const createLocalCheck = (corsOrigins: readonly string[]) => {
  // hosts rarely differ, and to parse one takes a tenth of a check
  let lastLocal: string | undefined
  return (host: string | undefined, origin: string | undefined): void => {
    if (host !== undefined && host !== lastLocal && !isLoopbackHost(host)) {
      throw new ZaelError(
        'forbidden',
        `While the tokens are the default ones, Host must be localhost, *.localhost, 127.0.0.0/8 or [::1]. ${SET_TOKENS}`,
      )
    }
    lastLocal = host
    if (origin !== undefined && !isAllowed(origin, host, corsOrigins)) {
      throw new ZaelError(
        'forbidden',
        `While the tokens are the default ones, Origin must be this server's or listed in CORS_ORIGINS. ${SET_TOKENS}`,
      )
    }
  }
}

const isAllowed = (origin: string, host: string | undefined, corsOrigins: readonly string[]): boolean =>
  corsOrigins.includes('*') ||
  corsOrigins.includes(origin) ||
  (host !== undefined && isOwnOrigin(origin, host))

/**
 * Whether a Host header, with or without a port, names this machine. A page of another site whose name resolves to
 * 127.0.0.1 still sends its own name (DNS rebinding).
 */
export const isLoopbackHost = (header: string): boolean => isLoopback(hostnameOf(header))

/** Whether the origin's host and port are those of the Host header. The scheme may differ: a proxy may terminate TLS. */
export const isOwnOrigin = (origin: string, header: string): boolean => {
  if (!URL.canParse(origin)) return false
  const { protocol } = new URL(origin)
  if (protocol !== 'http:' && protocol !== 'https:') return false
  const own = urlOf(header, protocol)
  return own !== undefined && new URL(origin).origin === own.origin
}

/** The host in lower case, addresses in normal form, without the port; empty if the header is not a host. */
const hostnameOf = (header: string): string => urlOf(header, 'http:')?.hostname ?? ''

const urlOf = (header: string, protocol: string): URL | undefined => {
  const text = `${protocol}//${header}`
  return /^[\w.:[\]-]+$/.test(header) && URL.canParse(text) ? new URL(text) : undefined
}
