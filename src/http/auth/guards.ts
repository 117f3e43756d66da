import type { Context, MiddlewareHandler } from 'hono'
import { isId } from '../../core/model/entity.ts'
import { invalid, ZaelError } from '../../core/model/errors.ts'
import type { Eventual } from '../../core/ports/when-ready.ts'
import { addressBehind, connectionAddress, type HeaderOf, presentedKey } from '../../web/client.ts'
import { addressGroup } from '../../web/ip-address.ts'
import type { ActingIdentity, AppDependencies, AppEnv, Identity } from '../app-dependencies.ts'
import { createMinuteBound } from '../minute-bound.ts'
import { type Authenticator, unauthorized } from './authenticator.ts'

/** Middleware that authenticates. Each throws `unauthorized` or `forbidden`. */
export interface Guards {
  /** For `/v1`: a caller, or an admin that names an entity. Sets `identity` and `acting`. */
  readonly callers: MiddlewareHandler<AppEnv>
  /** For everything else: an admin, or a viewer that reads. Sets `identity`. */
  readonly admins: MiddlewareHandler<AppEnv>
}

type Needs = Pick<AppDependencies, 'clock' | 'caches' | 'settings' | 'metrics'>

type Identify = (c: Context<AppEnv>) => Promise<Identity>

export const createGuards = (deps: Needs, authenticator: Authenticator): Guards => {
  const identify = createIdentify(deps, authenticator)
  return {
    callers: async (c, next) => {
      const identity = await identify(c)
      c.set('identity', identity)
      const acting = identity.kind === 'caller' ? identity : await actingFor(authenticator, identity, c)
      if (acting !== undefined) c.set('acting', acting)
      return next()
    },
    admins: async (c, next) => {
      const identity = await identify(c).catch(namingTheTokens)
      if (identity.kind === 'caller')
        throw new ZaelError('forbidden', 'This requires the admin token, or the viewer token for reads')
      if (identity.kind === 'viewer') checkReads(c.req.method)
      c.set('identity', identity)
      return next()
    },
  }
}

/** Per address; an attacker with more addresses than the bound remembers is not limited per address. */
const MAX_FAILURES_PER_MINUTE = 60

/** Identifies the client. Failures are counted per address; a valid token is accepted after any number of them. */
const createIdentify = (
  { clock, caches, settings, metrics }: Needs,
  authenticator: Authenticator,
): Identify => {
  const failures = createMinuteBound({
    clock,
    caches,
    mostPerMinute: MAX_FAILURES_PER_MINUTE,
    message: 'Too many failed authentications from this address',
  })
  return async (c) => {
    try {
      return await identityOf(authenticator, (name) => c.req.header(name))
    } catch (error) {
      if (error instanceof ZaelError && error.code === 'unauthorized') {
        metrics.count('authentication_failures')
        failures.record(addressGroup(clientIp(c, settings.trustedProxies)))
      }
      throw error
    }
  }
}

/** The identity of the client that sent these headers. Throws and rejects as `identify`. */
export const identityOf = (authenticator: Authenticator, header: HeaderOf): Eventual<Identity> => {
  const credential = presentedKey(header, authenticator.longestCredential)
  if (credential === 'conflict') throw unauthorized(CONFLICT)
  if (credential === undefined) throw unauthorized(NO_KEY)
  return authenticator.identify(credential)
}

const NO_KEY = 'No API key provided. Send one as Authorization: Bearer <key>, X-API-Key or api-key.'

const CONFLICT = 'Authorization, X-API-Key and api-key contain different keys. Send one of them.'

/** A route for admins requires a token, so its 401 does not name keys. */
const namingTheTokens = (error: unknown): never => {
  if (!(error instanceof ZaelError) || error.code !== 'unauthorized') throw error
  throw unauthorized('The admin or viewer token is required: Authorization: Bearer <token>')
}

/** The entity that an admin acts for; undefined: an admin or viewer that only reads and names no entity. */
const actingFor = async (
  authenticator: Authenticator,
  { kind }: Identity,
  { req }: Context<AppEnv>,
): Promise<ActingIdentity | undefined> => {
  const named = req.header('x-zael-entity')
  if (kind === 'viewer') checkReads(req.method)
  if (named === undefined && isRead(req.method)) return undefined
  if (named === undefined || !isId(named)) {
    throw invalid('X-Zael-Entity', 'name the entity to act for, if the admin token is used')
  }
  return { kind: 'admin', ...(await authenticator.actingAs(named)) }
}

const checkReads = (method: string): void => {
  if (!isRead(method)) throw new ZaelError('forbidden', 'The viewer token may read but not write')
}

const isRead = (method: string): boolean => method === 'GET' || method === 'HEAD'

/** The address of the client behind the trusted proxies. */
export const clientIp = (c: Context, trustedProxies: number): string =>
  addressBehind(trustedProxies)({
    connection: connectionAddress(c.env),
    forwardedFor: c.req.header('x-forwarded-for'),
  })
