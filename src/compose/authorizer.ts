import { createReservationService } from '../core/admin/reservations.ts'
import type { CacheFactory, Logger, Metrics } from '../core/ports/platform.ts'
import { createAuthenticator } from '../http/auth/authenticator.ts'
import { type Authorize, createAuthorize } from '../http/authorizer/authorize.ts'
import { deciderOf } from '../http/decisions.ts'
import { createModelLookup } from '../http/models/model-lookup.ts'
import { systemClock } from '../platform/runtime.ts'
import { randomSecrets } from '../platform/secrets.ts'
import type { AuthorizerOptions } from '../settings/authorizer-options.ts'
import type { Settings } from '../settings/settings.ts'
import type { Connect } from './connect.ts'
import { composeLimiter, flushOf } from './limiter.ts'
import { openDecidingStores } from './table.ts'
import { composeTokens, decidingWithTokens } from './tokens.ts'

export interface AuthorizerParts {
  readonly connect: Connect
  readonly logger: Logger
  readonly metrics: Metrics
  readonly caches: CacheFactory
  readonly options: AuthorizerOptions
}

export interface Authorizer {
  readonly authorize: Authorize
  /** Writes counts that are due. Never throws: the log contains the error. */
  flush(): Promise<void>
}

/** An authorizer on the table of a zael: keys, tokens, limits and policies are those of its API. Opens no connection before the first request. */
export const composeAuthorizer = (settings: Settings, parts: AuthorizerParts): Authorizer => {
  const { caches, metrics, options, logger } = parts
  const tokens = composeTokens(settings, parts)
  const table = decidingWithTokens(openDecidingStores({ ...parts, settings }), tokens)
  const limiter = composeLimiter(settings, { ...parts, table, runsBetweenRequests: false })
  const { bypassLimiter, configCacheSeconds } = settings
  const common = {
    ...{ caches, clock: systemClock, secrets: randomSecrets, store: table.config },
    settings: {
      bypassLimiter,
      configCacheMs: configCacheSeconds * 1000,
      adminToken: null,
      viewerToken: null,
    },
  }
  const flush = flushOf(limiter, logger)
  return {
    authorize: createAuthorize({
      ...{ metrics, options, clock: systemClock },
      authenticator: createAuthenticator({ ...common, tokens }),
      decider: deciderOf({ ...common, limiter }),
      models: createModelLookup(common),
      reservationService: createReservationService({ ...common, limiter, reservations: table.reservations }),
    }),
    flush: () => flush(),
  }
}
