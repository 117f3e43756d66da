import { isId } from '../../core/model/entity.ts'
import type { JsonObject, JsonValue } from '../../core/model/json.ts'
import { SECOND_NS, smaller } from '../../core/model/time.ts'
import { type TokenIdentity, tokenEntityId } from '../../core/model/token-entity.ts'
import type { TokenIssuer } from '../../core/model/token-issuer.ts'
import { sha256 } from '../runtime.ts'
import { invalidToken } from './token-form.ts'

/** Whether the audience of a token is one of the issuer's. */
export const isForAudience = (claims: JsonObject, { audiences, audienceClaim }: TokenIssuer): boolean => {
  const stated = claimOf(claims, audienceClaim)
  const named: readonly JsonValue[] = isList(stated) ? stated : stated === undefined ? [] : [stated]
  return named.some((each) => typeof each === 'string' && audiences.includes(each))
}

/**
 * The identity that the claims of a verified token name. `now`: ns since the epoch. Throws `unauthorized` for a claim that is
 * missing or has another type.
 */
export const identityIn = (claims: JsonObject, issuer: TokenIssuer, now: bigint): TokenIdentity => {
  const { name, entityClaim, tenantClaim, roleClaim, userClaim } = issuer
  const claim = textClaim(claims, entityClaim)
  if (claim === null) throw invalidToken(`it has no claim ${entityClaim}`)
  const issuedAt = nsOf(claims.iat) ?? 0n
  return {
    entityId: tokenEntityId(name, claim, sha256),
    role: roleClaim === null ? null : roleIn(claims, roleClaim),
    tenantId: tenantClaim === null ? null : tenantIn(claims, tenantClaim),
    user: userClaim === null ? null : textClaim(claims, userClaim),
    // a later time than now would outlast the roles of tokens that are issued until then
    issuedAt: smaller(issuedAt, now),
    expiresAt: nsOf(claims.exp) ?? 0n,
  }
}

/** An own claim, not `constructor`. */
const claimOf = (claims: JsonObject, name: string): JsonValue | undefined =>
  Object.hasOwn(claims, name) ? claims[name] : undefined

/** Null: the token does not have the claim. */
const textClaim = (claims: JsonObject, name: string): string | null => {
  const value = claimOf(claims, name)
  if (value === undefined || value === null) return null
  if (typeof value !== 'string' || value === '' || HALF_CHARACTER.test(value))
    throw invalidToken(`its claim ${name} is not a text`)
  return value
}

/** An escape such as `\ud800` alone: all of them have the same bytes, and so one hash. */
const HALF_CHARACTER = /\p{Surrogate}/u

const tenantIn = (claims: JsonObject, name: string): string | null => {
  const tenant = textClaim(claims, name)
  if (tenant !== null && !isId(tenant)) throw invalidToken(`its claim ${name} names no tenant`)
  return tenant
}

/**
 * The role, or the first of a list that can be a role: groups are often a list. A role only selects limits, so a text that cannot
 * be a role selects none.
 */
const roleIn = (claims: JsonObject, name: string): string | null => {
  const value = claimOf(claims, name)
  if (value === undefined || value === null || value === '') return null
  const roles = isList(value) ? value : [value]
  const texts = roles.filter((role) => typeof role === 'string')
  if (texts.length < roles.length)
    throw invalidToken(`its claim ${name} is neither a text nor a list of texts`)
  return texts.find(isId) ?? null
}

/** `Array.isArray` does not narrow readonly arrays. */
const isList = (value: JsonValue | undefined): value is readonly JsonValue[] => Array.isArray(value)

/** Later times than the year 9999 are its end. */
const nsOf = (seconds: JsonValue | undefined): bigint | undefined =>
  typeof seconds === 'number' && seconds >= 0
    ? BigInt(Math.floor(Math.min(seconds, LATEST_SECOND))) * SECOND_NS
    : undefined

const LATEST_SECOND = 253_402_300_800
