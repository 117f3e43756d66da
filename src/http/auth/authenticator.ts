import { timingSafeEqual } from 'node:crypto'
import type { ConfigChange } from '../../core/admin/audit.ts'
import { allowedModels, ancestorsOf, type Entity } from '../../core/model/entity.ts'
import { ZaelError } from '../../core/model/errors.ts'
import { type ApiKey, isUsable } from '../../core/model/key.ts'
import { MS_NS } from '../../core/model/time.ts'
import { type TokenIdentity, tokenEntity } from '../../core/model/token-entity.ts'
import { createCachedReads } from '../../core/ports/cached-reads.ts'
import type { ConfigStore } from '../../core/ports/config-store.ts'
import { momentOf, type Secrets } from '../../core/ports/platform.ts'
import { type Eventual, whenReady } from '../../core/ports/when-ready.ts'
import { type Credential, LONGEST_KEY } from '../../web/client.ts'
import type {
  ActingIdentity,
  AppDependencies,
  HttpSettings,
  Identity,
  TokenAuthentication,
} from '../app-dependencies.ts'

/** Identifies clients by keys and tokens. */
export interface Authenticator {
  /** Longer credentials are ignored. */
  readonly longestCredential: number
  /**
   * The identity itself if all of it is cached, as it is for most requests. Throws, or rejects, with `unauthorized`, or with
   * `StoreUnavailable` if a key cannot be looked up.
   */
  identify(credential: Credential): Eventual<Identity>
  /** The entity that an admin names. Throws `not_found`, and `unauthorized` if it or an ancestor is disabled. */
  actingAs(entityId: string): Promise<Acting>
  /** Drops the cached data of a changed entity. */
  forget(change: ConfigChange): void
}

type Acting = Omit<ActingIdentity, 'kind' | 'token'>

type ReadEntity = (id: string) => Eventual<Entity | undefined>

export interface AuthenticatorNeeds extends Pick<AppDependencies, 'secrets' | 'tokens' | 'clock' | 'caches'> {
  readonly store: Pick<ConfigStore, 'apiKey' | 'entity'>
  readonly settings: Pick<HttpSettings, 'configCacheMs' | 'viewerToken'> & {
    /** null: there are no tokens, only keys of callers. */
    readonly adminToken: string | null
  }
}

const MAX_CACHED = 10_000

/** Servers bound headers themselves: a token that is too long gets the error of a token. */
const LONGEST_HEADER = 65_536

/** OpenAI's message, without the key. */
const INCORRECT_KEY = 'Incorrect API key provided. It is unknown, expired or revoked.'

export const createAuthenticator = (deps: AuthenticatorNeeds): Authenticator => {
  const { store, secrets, tokens, clock, caches, settings } = deps
  const maxAgeNs = BigInt(settings.configCacheMs) * MS_NS
  const cached = { clock, caches, max: MAX_CACHED, keyOf: (key: string) => key }
  const keys = createCachedReads<string, ApiKey | undefined>({
    ...cached,
    groupOf: (key) => key.entityId,
    read: (secretHash) => store.apiKey(secretHash),
  })
  const entities = createCachedReads<string, Entity | undefined>({
    ...cached,
    groupOf: (entity) => entity.id,
    read: (id) => store.entity(id),
  })
  const readEntity: ReadEntity = (id) => entities.get(id, maxAgeNs)
  const tokenKind = createTokenKinds(deps)

  const ownerOf = (key: ApiKey | undefined): Eventual<Acting> => {
    if (key === undefined || !isUsable(key, momentOf(clock).now)) throw unauthorized(INCORRECT_KEY)
    return whenReady(readEntity(key.entityId), (entity) => {
      if (entity === undefined) throw unauthorized(INCORRECT_KEY)
      return requireEnabled(readEntity, entity)
    })
  }

  const identifyToken = tokens && createTokenIdentification(tokens, readEntity)

  return {
    longestCredential: tokens === undefined ? LONGEST_KEY : LONGEST_HEADER,
    identify(credential) {
      const { token, isBearer } = credential
      const tokenHash = secrets.hash(token)
      const kind = tokenKind(tokenHash, isBearer)
      if (kind !== undefined) return { kind, entityId: null, entity: null, organization: null }
      const identified = isBearer ? identifyToken?.(token, tokenHash) : undefined
      if (identified !== undefined) return identified
      if (token.length > LONGEST_KEY) throw unauthorized(INCORRECT_KEY)
      return whenReady(whenReady(keys.get(tokenHash, maxAgeNs), ownerOf), asCaller)
    },
    async actingAs(entityId) {
      const entity = await readEntity(entityId)
      if (entity === undefined) throw new ZaelError('not_found', `There is no entity ${entityId}`)
      return requireEnabled(readEntity, entity)
    },
    forget({ entityId }) {
      if (entityId === undefined) return
      keys.forget(entityId)
      entities.forget(entityId)
    },
  }
}

/** The caller of a token; undefined: the credential is none, and may be a key. */
type IdentifyToken = (token: string, tokenHash: string) => Eventual<Identity> | undefined

/** The tenant of a token is read from the store, after the token has been verified. */
const createTokenIdentification = (
  { verifier, entities }: TokenAuthentication,
  readEntity: ReadEntity,
): IdentifyToken => {
  const callerOf = (identity: TokenIdentity): Eventual<Identity> => {
    const token = { entity: tokenEntity(identity), user: identity.user }
    const acting = whenReady(requireTenant(readEntity, identity), () =>
      requireEnabled(readEntity, token.entity),
    )
    return whenReady(acting, ({ entityId, entity, organization }) => {
      entities.note(identity)
      return { kind: 'caller', entityId, entity, organization, token }
    })
  }
  return (token, tokenHash) =>
    verifier.recognizes(token) ? whenReady(verifier.verify(token, tokenHash), callerOf) : undefined
}

const requireTenant = (readEntity: ReadEntity, { tenantId }: TokenIdentity): Eventual<void> => {
  if (tenantId === null) return undefined
  return whenReady(readEntity(tenantId), (tenant) => {
    if (tenant?.kind !== 'tenant') throw unauthorized(`The token is not valid: ${tenantId} is no tenant`)
  })
}

const createTokenKinds = ({ secrets, settings }: AuthenticatorNeeds) => {
  const isAdmin = createTokenCheck(secrets, settings.adminToken)
  const isViewer = createTokenCheck(secrets, settings.viewerToken)
  return (tokenHash: string, isBearer: boolean): 'admin' | 'viewer' | undefined => {
    const shown = Buffer.from(tokenHash)
    const [admin, viewer] = [isAdmin(shown), isViewer(shown)]
    if (!isBearer) return undefined
    if (admin) return 'admin'
    return viewer ? 'viewer' : undefined
  }
}

/**
 * The entity with its root ancestor; its `models` are those that all of its ancestors allow too. Throws `unauthorized` if one
 * of them is disabled.
 */
const requireEnabled = (readEntity: ReadEntity, entity: Entity): Eventual<Acting> =>
  whenReady(ancestorsOf(entity, readEntity), (ancestors) => {
    const family = [entity, ...ancestors]
    const disabled = family.find((member) => member.disabled)
    if (disabled !== undefined) throw unauthorized(`${disabled.id} is disabled`)
    const models = allowedModels(family)
    return {
      entityId: entity.id,
      entity: models === entity.models ? entity : { ...entity, models },
      organization: family.at(-1)?.id ?? entity.id,
    }
  })

/** Names each field: for every request, a spread takes as long as the look-up of its key. */
const asCaller = ({ entityId, entity, organization }: Acting): Identity => ({
  kind: 'caller',
  entityId,
  entity,
  organization,
  token: undefined,
})

export const unauthorized = (message: string): ZaelError => new ZaelError('unauthorized', message)

/** Compares the hash of a token with a secret's in constant time. A token that does not exist (null) equals none. */
const createTokenCheck = (secrets: Secrets, expected: string | null): ((tokenHash: Buffer) => boolean) => {
  if (expected === null) return () => false
  const expectedHash = Buffer.from(secrets.hash(expected))
  return (tokenHash) => timingSafeEqual(tokenHash, expectedHash)
}
