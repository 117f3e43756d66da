import { type Entity, isId } from './entity.ts'
import { nameAsId } from './policy.ts'

/*
 * Entities of verified tokens (JWTs). They have no item in the table: their id, parent and role are those that the token names.
 */

/** The caller that a verified token names. */
export interface TokenIdentity {
  /** `jwt:<name of the issuer>:<claim>` */
  readonly entityId: string
  /** Selects limits, never rights. Null: the token names none. */
  readonly role: string | null
  /** The id of an entity, which must be of kind `tenant`. Null: the token names none. */
  readonly tenantId: string | null
  /** The user for policies on users, any text. Null: the token names none. */
  readonly user: string | null
  /** ns since the epoch; 0 if the token does not contain it. Orders tokens: the role of the latest one applies. */
  readonly issuedAt: bigint
  /** ns since the epoch */
  readonly expiresAt: bigint
}

/** The beginning of the ids of such entities. No stored entity may have it. */
export const TOKEN_PREFIX = 'jwt:'

export const isTokenEntityId = (id: string): boolean => id.startsWith(TOKEN_PREFIX)

/** Completes "<field> must …". */
export const TOKEN_PREFIX_RULE = `not begin with ${TOKEN_PREFIX}, which is reserved for identities of tokens`

/** The name of an issuer. Without `:`, so that the ids of one issuer are never those of another. */
export const ISSUER_NAME_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._@-]{0,31}$/

export const ISSUER_NAME_RULE = 'be 1 to 32 of A-Z a-z 0-9 . _ @ - and begin with a letter or digit'

const LOOKS_HASHED = /^h-[0-9a-f]{32}$/

/**
 * The id of the entity that a claim names: `jwt:<name>:<claim>`, or with `h-` and 32 hexadecimal digits of the claim's SHA-256
 * if the claim is no id, if the whole would be too long, and if the claim looks like such a hash, so that nobody can choose a
 * claim that shares the limits of another. `hash`: SHA-256, lower-case hexadecimal.
 */
export const tokenEntityId = (name: string, claim: string, hash: (text: string) => string): string => {
  const prefix = `${TOKEN_PREFIX}${name}:`
  const id = prefix + nameAsId(claim, hash)
  return isId(id) && !LOOKS_HASHED.test(claim) ? id : `${prefix}h-${hash(claim).slice(0, HASH_DIGITS)}`
}

const HASH_DIGITS = 32

/** The name of the issuer in the id of such an entity; undefined for other ids. */
export const issuerNameIn = (id: string): string | undefined => TOKEN_ENTITY_ID.exec(id)?.[1]

const TOKEN_ENTITY_ID = /^jwt:([A-Za-z0-9][A-Za-z0-9._@-]{0,31}):./

/** The entity of an identity. Its version lets the role of the latest token apply on every node. */
export const tokenEntity = ({
  entityId,
  role,
  tenantId,
  issuedAt,
}: Pick<TokenIdentity, 'entityId' | 'role' | 'tenantId' | 'issuedAt'>): Entity => ({
  id: entityId,
  name: entityId,
  kind: 'jwt',
  parentId: tenantId,
  cascade: true,
  role,
  priority: 'normal',
  models: null,
  disabled: false,
  bypass: false,
  metadata: {},
  createdAt: 0n,
  version: issuedAt,
})
