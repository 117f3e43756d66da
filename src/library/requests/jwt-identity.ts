/** The caller that a verified token names. */
export interface JwtIdentity {
  /** `jwt:<name>:<claim>` */
  readonly key: string
  /** Selects limits, never rights. */
  readonly role: string | null
  readonly tenant: string | null
  readonly user: string | null
  readonly claims: Readonly<Record<string, unknown>>
  /** Seconds since the epoch; 0 if the token does not contain it. */
  readonly issuedAt: number
  /** Seconds since the epoch. */
  readonly expiresAt: number
}

/** A key function that also names the role, the tenant and the user of a caller: `byJwt`. */
interface IdentifyingKey {
  identityOf(native: unknown): JwtIdentity | undefined
}

const isIdentifying = (key: unknown): key is IdentifyingKey =>
  typeof key === 'function' && 'identityOf' in key && typeof key.identityOf === 'function'

/** The identity that one of the key functions has found in a request. */
export const firstIdentity = (keys: readonly unknown[], native: unknown): JwtIdentity | undefined => {
  for (const key of keys) {
    const identity = isIdentifying(key) ? key.identityOf(native) : undefined
    if (identity !== undefined) return identity
  }
  return undefined
}

/** Returns the identity of a request whose key has been determined; undefined: the key function names none. */
export const identityOfKey = (key: unknown): ((native: unknown) => JwtIdentity | undefined) | undefined =>
  isIdentifying(key) ? (native) => key.identityOf(native) : undefined
