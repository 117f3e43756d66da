import type { MiddlewareHandler } from 'hono'
import { isId } from '../../core/entity/entity.ts'
import { invalid, ZaelError } from '../../core/errors.ts'
import type { ActingIdentity, AppDependencies, AppEnv, Identity } from '../app-dependencies.ts'
import { addressGroup } from '../client/ip-address.ts'
import { presentedKey } from '../client/presented-key.ts'
import { type Authenticator, unauthorized } from './authenticator.ts'
import { clientIp } from './client-ip.ts'
import { createFailureLimiter } from './failure-limiter.ts'

/** Middleware that lets pass who may. */
export interface Guards {
  /** For `/v1`: a caller, or an admin that names an entity. Sets `identity` and `acting`. */
  readonly callers: MiddlewareHandler<AppEnv>
  /** For everything else: an admin, or a viewer that reads. Sets `identity`. */
  readonly admins: MiddlewareHandler<AppEnv>
}

type Needs = Pick<AppDependencies, 'clock' | 'caches' | 'settings' | 'metrics'>
type Identify = (c: Parameters<MiddlewareHandler<AppEnv>>[0]) => Promise<Identity>

export const createGuards = (deps: Needs, authenticator: Authenticator): Guards => {
  const identify = createIdentify(deps, authenticator)
  return {
    callers: async (c, next) => {
      const identity = await identify(c)
      c.set('identity', identity)
      const acting = await actingIdentity(
        authenticator,
        identity,
        c.req.header('x-zael-entity'),
        c.req.method,
      )
      if (acting !== undefined) c.set('acting', acting)
      await next()
    },
    admins: async (c, next) => {
      const identity = await identify(c)
      if (identity.kind === 'caller') throw new ZaelError('forbidden', 'This needs the admin token')
      if (identity.kind === 'viewer') checkReads(c.req.method)
      c.set('identity', identity)
      await next()
    },
  }
}

/** Who asks; failures are counted per address, and a valid token passes however many there were. */
const createIdentify = (
  { clock, caches, settings, metrics }: Needs,
  authenticator: Authenticator,
): Identify => {
  const failures = createFailureLimiter(clock, caches)
  return async (c) => {
    try {
      const credential = presentedKey((name) => c.req.header(name))
      if (credential === undefined) {
        throw unauthorized('An API key is needed: X-API-Key, or Authorization: Bearer')
      }
      return await authenticator.identify(credential)
    } catch (error) {
      if (error instanceof ZaelError && error.code === 'unauthorized') {
        metrics.count('authentication_failures')
        failures.failed(addressGroup(clientIp(c, settings.trustedProxies)))
      }
      throw error
    }
  }
}

/** Undefined: an admin or viewer that only reads and names no entity. */
const actingIdentity = async (
  authenticator: Authenticator,
  identity: Identity,
  named: string | undefined,
  method: string,
): Promise<ActingIdentity | undefined> => {
  if (identity.kind === 'caller') return identity
  if (identity.kind === 'viewer') checkReads(method)
  if (named === undefined && isRead(method)) return undefined
  if (named === undefined || !isId(named)) {
    throw invalid('X-Zael-Entity', 'name the entity to act for, where the admin token is used')
  }
  return { kind: 'admin', ...(await authenticator.actingAs(named)) }
}

const checkReads = (method: string): void => {
  if (!isRead(method)) throw new ZaelError('forbidden', 'The viewer token may read and not write')
}

const isRead = (method: string): boolean => method === 'GET' || method === 'HEAD'
