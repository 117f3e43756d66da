import { parseTokenIssuers } from '../../contract/token-issuers.ts'
import { invalid, ZaelError } from '../../core/model/errors.ts'
import { SECOND_NS } from '../../core/model/time.ts'
import type { TokenIdentity } from '../../core/model/token-entity.ts'
import type { Clock, Logger } from '../../core/ports/platform.ts'
import { createConsoleLogger } from '../../platform/console-logger.ts'
import { addressFault } from '../../platform/jwt/address.ts'
import { decodeToken } from '../../platform/jwt/token-form.ts'
import { createTokenVerifier } from '../../platform/jwt/token-verifier.ts'
import { lruCaches, systemClock } from '../../platform/runtime.ts'
import { presentedBearer } from '../../web/client.ts'
import { checkFunctions, checkOptions, checkPorts, type OptionNames, withoutUndefined } from '../arguments.ts'
import type { JwtIdentity } from './jwt-identity.ts'
import type { KeyFunction } from './keys.ts'

/** An issuer of tokens, and the claims that zael reads. */
export interface JwtIssuer {
  /** Part of the keys: `jwt:<name>:<claim>`. Default `app`. With `config: 'table'`, the name in `JWT_ISSUERS` of the deployed zael. */
  readonly name?: string
  /** The claim `iss`, exactly: an https URL, or any text if `jwksUri` is given. */
  readonly issuer: string
  /** The claim `aud`, or one of several. */
  readonly audience: string | readonly string[]
  /** The claim that contains the audience. Default `aud`; `client_id` for access tokens of Cognito. */
  readonly audienceClaim?: string
  /** Default: that of OpenID Connect Discovery, or else `<issuer>/.well-known/jwks.json`. */
  readonly jwksUri?: string
  /** The claim that names the caller. Default `sub`. */
  readonly entityClaim?: string
  /** The claim that names an entity of kind `tenant`, with `config: 'table'`. */
  readonly tenantClaim?: string
  /** The claim that names the caller's role: `roles` of the limiter, or the roles in the table. */
  readonly roleClaim?: string
  /** The claim that names the user for policies on users. */
  readonly userClaim?: string
}

export interface JwtOptions extends JwtIssuer {
  /** True: a request without a token has no key, as with `byApiKey()`, for `firstOf`. Default: it is 401. */
  readonly optional?: boolean
  /** Fetches the issuer's keys. Default: the platform's. */
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response>
  /** Default: one line on stderr if keys cannot be fetched. */
  readonly logger?: Logger
  readonly clock?: Clock
}

/** A key function that verifies tokens. */
export interface JwtKey extends KeyFunction {
  /** The identity of a request that has been limited by this key; `native` is the object of the framework: `Context` of Hono, `Request` of Express. */
  identityOf(native: unknown): JwtIdentity | undefined
  /** Verifies a token. Rejects with `ZaelError`: `unauthorized`, or `unavailable` if the issuer's keys cannot be fetched. */
  verify(token: string): Promise<JwtIdentity>
}

const ISSUER_FIELDS = {
  name: 'name',
  issuer: 'issuer',
  audience: 'audience',
  audienceClaim: 'audience_claim',
  jwksUri: 'jwks_uri',
  entityClaim: 'entity_claim',
  tenantClaim: 'tenant_claim',
  roleClaim: 'role_claim',
  userClaim: 'user_claim',
} as const satisfies Record<keyof JwtIssuer, string>

const JWT_OPTIONS: OptionNames<JwtOptions> = {
  ...{ name: true, issuer: true, audience: true, audienceClaim: true, jwksUri: true },
  ...{ entityClaim: true, tenantClaim: true, roleClaim: true, userClaim: true },
  ...{ optional: true, fetch: true, logger: true, clock: true },
}

/**
 * Limits the subject of each token (JWT) in `Authorization: Bearer`, after it has been verified: signature, `iss`, audience, `exp`, `nbf`.
 * A request with a token that is not valid, or without one, is 401; 503 if the issuer's keys cannot be fetched. The middlewares also
 * apply the limits of the token's role (`roles` of the limiter), and its user. Throws `ZaelError('invalid_request')` for an unknown or
 * invalid option.
 *
 * @example
 * const jwt = byJwt({ issuer: 'https://login.example.com', audience: 'api://orders', roleClaim: 'role' })
 * app.use(rateLimit({ key: jwt, limits, roles: { admin: [{ name: 'rpm', capacity: 600, refill_rate: 10 }] } }))
 * app.get('/me', (c) => c.json(jwt.identityOf(c)?.claims))
 */
export const byJwt = (options: JwtOptions): JwtKey => {
  checkJwtOptions(options)
  const { optional = false, fetch, logger = createConsoleLogger('info'), clock = systemClock } = options
  const issuers = [issuerOf(options)]
  const verifier = createTokenVerifier({ issuers, clock, logger, caches: lruCaches, ...(fetch && { fetch }) })
  const verify = async (token: string): Promise<JwtIdentity> => {
    if (!verifier.recognizes(token)) throw unauthorized('The token is not valid: it is not a JWT')
    return new VerifiedToken(token, await verifier.verify(token))
  }
  const identities = new WeakMap<object, JwtIdentity>()
  const keyOf: KeyFunction = async ({ native, header }) => {
    const token = presentedBearer(header)
    if (optional && (token === undefined || !verifier.recognizes(token))) return undefined
    if (token === undefined) throw unauthorized('A token is needed: Authorization: Bearer <token>')
    const identity = await verify(token)
    if (typeof native === 'object' && native !== null) identities.set(native, identity)
    return identity.key
  }
  return Object.assign(keyOf, {
    verify,
    identityOf: (native: unknown) =>
      typeof native === 'object' && native !== null ? identities.get(native) : undefined,
  })
}

const checkJwtOptions = (options: JwtOptions): void => {
  checkOptions<JwtOptions>(options, JWT_OPTIONS)
  checkFunctions(options, ['fetch'])
  checkPorts(options)
  if (!['undefined', 'boolean'].includes(typeof options.optional))
    throw invalid('optional', 'be true or false')
}

/** Throws `ZaelError('invalid_request')` for the first option that is invalid. */
const issuerOf = (options: JwtOptions) => {
  const given = withoutUndefined<JwtIssuer>(options)
  const fields = Object.entries(ISSUER_FIELDS) as [keyof JwtIssuer, string][]
  const entry = Object.fromEntries(
    fields.flatMap(([name, field]) => (name in given ? [[field, given[name]]] : [])),
  )
  const parsed = parseTokenIssuers([{ name: 'app', ...entry }], addressFault)
  if ('issuers' in parsed) for (const issuer of parsed.issuers) return issuer
  const [fault] = 'faults' in parsed ? parsed.faults : []
  const name = fields.find(([, field]) => field === fault?.path[1])?.[0] ?? 'issuer'
  throw invalid(name, (fault?.must ?? 'be valid').replace('jwks_uri', 'jwksUri'))
}

/** The claims are decoded again when they are read, which few apps do: the verifier keeps no claims of verified tokens. */
class VerifiedToken implements JwtIdentity {
  readonly key: string
  readonly role: string | null
  readonly tenant: string | null
  readonly user: string | null
  readonly issuedAt: number
  readonly expiresAt: number
  readonly #token: string

  constructor(token: string, { entityId, role, tenantId, user, issuedAt, expiresAt }: TokenIdentity) {
    this.key = entityId
    this.role = role
    this.tenant = tenantId
    this.user = user
    this.issuedAt = Number(issuedAt / SECOND_NS)
    this.expiresAt = Number(expiresAt / SECOND_NS)
    this.#token = token
  }

  get claims(): JwtIdentity['claims'] {
    return decodeToken(this.#token).claims
  }
}

const unauthorized = (message: string): ZaelError => new ZaelError('unauthorized', message)
