import type { CacheFactory, Logger } from '../core/ports/platform.ts'
import {
  createTokenEntities,
  type TokenEntities,
  withFoundTokenEntities,
  withTokenEntities,
} from '../core/ports/token-entities.ts'
import type { TokenAuthentication } from '../http/app-dependencies.ts'
import { createTokenVerifier } from '../platform/jwt/token-verifier.ts'
import { systemClock } from '../platform/runtime.ts'
import type { Settings } from '../settings/settings.ts'
import type { DecidingStores, openTable } from './table.ts'

export interface ComposedTokens extends TokenAuthentication {
  readonly entities: TokenEntities
}

interface TokenParts {
  readonly caches: CacheFactory
  readonly logger: Logger
}

/** How callers are identified by tokens; undefined if no issuer is configured. */
export const composeTokens = (
  { jwtIssuers }: Pick<Settings, 'jwtIssuers'>,
  { caches, logger }: TokenParts,
): ComposedTokens | undefined => {
  if (jwtIssuers.length === 0) return undefined
  const names = jwtIssuers.map(({ name }) => name)
  return {
    verifier: createTokenVerifier({ issuers: jwtIssuers, clock: systemClock, caches, logger }),
    entities: createTokenEntities(names, caches),
  }
}

/** The stores of a table in which the entities of tokens exist too. */
export const withTokens = (
  table: ReturnType<typeof openTable>,
  tokens: ComposedTokens | undefined,
): ReturnType<typeof openTable> =>
  tokens === undefined
    ? table
    : { ...decidingWithTokens(table, tokens), store: withFoundTokenEntities(table.store, tokens.entities) }

/** The same for a process that only decides. */
export const decidingWithTokens = <Stores extends DecidingStores>(
  stores: Stores,
  tokens: ComposedTokens | undefined,
): Stores =>
  tokens === undefined ? stores : { ...stores, config: withTokenEntities(stores.config, tokens.entities) }
