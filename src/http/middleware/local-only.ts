import type { MiddlewareHandler } from 'hono'
import { ZaelError } from '../../core/model/errors.ts'
import type { AppEnv } from '../app-dependencies.ts'
import { isLoopbackHost, isOwnOrigin } from '../client/loopback.ts'

const SET_TOKENS = 'Set ADMIN_TOKEN and VIEWER_TOKEN to lift this'

/**
 * Keeps web pages of other sites from a server whose tokens are known to everyone: the browser of the developer who runs
 * it can reach it. Their requests have an Origin, or a Host that is not loopback.
 */
export const localOnly =
  (corsOrigins: readonly string[]): MiddlewareHandler<AppEnv> =>
  (c, next) => {
    const host = c.req.header('host')
    if (host !== undefined && !isLoopbackHost(host)) {
      throw new ZaelError(
        'forbidden',
        `While the tokens are the default ones, Host must be localhost, *.localhost, 127.0.0.0/8 or [::1]. ${SET_TOKENS}`,
      )
    }
    const origin = c.req.header('origin')
    if (origin !== undefined && !isAllowed(origin, host, corsOrigins)) {
      throw new ZaelError(
        'forbidden',
        `While the tokens are the default ones, Origin must be this server's or listed in CORS_ORIGINS. ${SET_TOKENS}`,
      )
    }
    return next()
  }

const isAllowed = (origin: string, host: string | undefined, corsOrigins: readonly string[]): boolean =>
  corsOrigins.includes('*') ||
  corsOrigins.includes(origin) ||
  (host !== undefined && isOwnOrigin(origin, host))
