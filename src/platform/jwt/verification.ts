import { errors, type JWTVerifyGetKey, jwtVerify } from 'jose'
import { ZaelError } from '../../core/model/errors.ts'
import type { JsonObject } from '../../core/model/json.ts'
import { MS_NS } from '../../core/model/time.ts'
import type { TokenIdentity } from '../../core/model/token-entity.ts'
import type { TokenIssuer } from '../../core/model/token-issuer.ts'
import type { CacheFactory, Clock, Logger } from '../../core/ports/platform.ts'
import type { Eventual } from '../../core/ports/when-ready.ts'
import { identityIn, isForAudience } from './claims.ts'
import { createKeyFetch } from './fetch-keys.ts'
import { createKeySet, type KeySet, type Keys } from './key-set.ts'
import { decodeToken, invalidToken } from './token-form.ts'

export interface TokenVerifierOptions {
  readonly issuers: readonly TokenIssuer[]
  readonly clock: Clock
  readonly caches: CacheFactory
  readonly logger: Logger
  /** Default: the platform's. */
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response>
}

/** Signatures with a public key: with HS256, whoever knows that key could sign. */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512']

/** The most verified tokens to remember. */
const MAX_VERIFIED = 10_000

interface ConfiguredIssuer extends TokenIssuer {
  readonly keySet: KeySet
}

/** A verified token: its signature is not checked again while it is valid and its issuer has the same keys. */
interface Verified {
  readonly identity: TokenIdentity
  readonly keySet: KeySet
  readonly keys: Keys
}

/** Verifies tokens; `hash` is the token's SHA-256. Throws, or rejects, as `TokenVerifier.verify`. */
export type Verify = (token: string, hash: string) => Eventual<TokenIdentity>

export const createVerification = (options: TokenVerifierOptions): Verify => {
  const { clock, caches } = options
  const issuers = withKeySets(options)
  const verified = caches<Verified>({ max: MAX_VERIFIED })
  const verifyNow = async (token: string, hash: string): Promise<TokenIdentity> => {
    const { header, claims } = decodeToken(token)
    if (!ALGORITHMS.some((each) => each === header.alg)) throw invalidToken('its algorithm is not accepted')
    const issuer = issuerOf(issuers, claims)
    const keys = await checkSignature(token, issuer, clock)
    const identity = identityIn(claims, issuer, clock.now())
    verified.set(hash, { identity, keySet: issuer.keySet, keys })
    return identity
  }
  return (token, hash) => {
    const known = verified.get(hash)
    if (known === undefined) return verifyNow(token, hash)
    const isValid = clock.now() < known.identity.expiresAt && known.keySet.cached() === known.keys
    return isValid ? known.identity : verifyNow(token, hash)
  }
}

/** Issuers with the same address of keys share them. */
const withKeySets = ({
  issuers,
  clock,
  logger,
  fetch,
}: TokenVerifierOptions): readonly ConfiguredIssuer[] => {
  const keySets = new Map<string, KeySet>()
  return issuers.map((issuer) => {
    const source = issuer.jwksUri ?? issuer.issuer
    const fetchKeys = createKeyFetch(issuer, fetch ?? ((url, init) => globalThis.fetch(url, init)))
    const keySet = keySets.get(source) ?? createKeySet({ name: issuer.name, fetchKeys, clock, logger })
    keySets.set(source, keySet)
    return { ...issuer, keySet }
  })
}

/** The issuer that the claims name. They are not verified yet: they only select the keys to verify them with. */
const issuerOf = (issuers: readonly ConfiguredIssuer[], claims: JsonObject): ConfiguredIssuer => {
  const named = issuers.filter(({ issuer }) => issuer === claims.iss)
  if (named.length === 0) throw invalidToken('its issuer is not accepted')
  const found = named.find((issuer) => isForAudience(claims, issuer))
  if (found === undefined) throw invalidToken('it is for another audience')
  return found
}

/** Returns the keys that verified the token. A key that is not among the cached ones may be new. */
const checkSignature = async (token: string, issuer: ConfiguredIssuer, clock: Clock): Promise<Keys> => {
  const { keySet } = issuer
  const cached = keySet.cached()
  const keys = cached ?? (await keySet.first())
  if (await isSignedBy(keys, token, issuer, clock)) return keys
  const others = await keySet.beyond(keys, cached === undefined)
  if (others !== keys && (await isSignedBy(others, token, issuer, clock))) return others
  throw invalidToken('its key is not known')
}

/** False if the keys do not contain the token's. Throws `unauthorized` if the token is not valid. */
const isSignedBy = async (
  { select }: Keys,
  token: string,
  { issuer }: TokenIssuer,
  clock: Pick<Clock, 'now'>,
): Promise<boolean> => {
  try {
    await verifyWith(token, select, {
      issuer,
      algorithms: ALGORITHMS,
      requiredClaims: ['exp'],
      currentDate: new Date(Number(clock.now() / MS_NS)),
    })
    return true
  } catch (error) {
    if (error instanceof errors.JWKSNoMatchingKey) return false
    throw rejectionOf(error)
  }
}

type VerifyOptions = NonNullable<Parameters<typeof jwtVerify>[2]>

/** The most keys that are tried for a token whose header names none of several. */
const MAX_TRIED = 4

const verifyWith = async (
  token: string,
  select: JWTVerifyGetKey,
  options: VerifyOptions,
): Promise<unknown> => {
  try {
    return await jwtVerify(token, select, options)
  } catch (error) {
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error
    return await verifyWithAny(token, error, options)
  }
}

const verifyWithAny = async (
  token: string,
  matching: AsyncIterable<Parameters<typeof jwtVerify>[1] & object>,
  options: VerifyOptions,
): Promise<unknown> => {
  let tried = 0
  for await (const key of matching) {
    if (tried++ >= MAX_TRIED) break
    const outcome = await jwtVerify(token, key, options).catch((error: unknown) => error)
    if (!(outcome instanceof errors.JWSSignatureVerificationFailed)) return succeeded(outcome)
  }
  throw new errors.JWSSignatureVerificationFailed()
}

/** Throws an outcome that is an error. */
const succeeded = (outcome: unknown): unknown => {
  if (outcome instanceof Error) throw outcome
  return outcome
}

/** Every other failure of the library concerns the token or its key as well. */
const rejectionOf = (error: unknown): ZaelError => {
  if (error instanceof ZaelError) return error
  if (error instanceof errors.JWTExpired) return invalidToken('it has expired')
  if (error instanceof errors.JWTClaimValidationFailed) return invalidToken(claimFault(error))
  return invalidToken('its signature is wrong')
}

const claimFault = ({ claim, reason }: { readonly claim: string; readonly reason: string }): string => {
  if (claim === 'nbf' && reason === 'check_failed') return 'it is not valid yet'
  return reason === 'missing' ? `it has no claim ${claim}` : `its claim ${claim} is wrong`
}
