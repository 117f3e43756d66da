/** An API key of an entity. The secret is not stored: only its SHA-256, in lower-case hexadecimal. */
export interface ApiKey {
  readonly keyId: string
  readonly entityId: string
  readonly name: string
  /** The secret's first 8 characters, to recognize it. */
  readonly prefix: string
  readonly status: 'active' | 'revoked'
  /** ns since the epoch, or null: never. A rotated key expires at the end of its grace period. */
  readonly expiresAt: bigint | null
  readonly createdAt: bigint
}

/** Whether the key is accepted at `now` (ns since the epoch). */
export const isUsable = (key: ApiKey, now: bigint): boolean =>
  key.status === 'active' && (key.expiresAt === null || now < key.expiresAt)

/** The length of a secret's readable prefix; half of a secret that is no longer than this. */
const PREFIX_LENGTH = 8

export const LONGEST_SECRET = 256

export const SHORTEST_SECRET = 16

export const LONGEST_KEY_NAME = 256

/** The characters that a header transmits unchanged. */
const VISIBLE_ASCII = /^[\x21-\x7e]+$/

/** Whether a text can be a key's secret: `shortest` or more visible ASCII characters. */
export const isSecret = (secret: string, shortest: number): boolean =>
  secret.length >= shortest && secret.length <= LONGEST_SECRET && VISIBLE_ASCII.test(secret)

export const secretRule = (shortest: number): string =>
  `be ${shortest} to ${LONGEST_SECRET} visible ASCII characters`

/** The part of a secret that may be shown. */
export const prefixOf = (secret: string): string =>
  secret.slice(0, secret.length > PREFIX_LENGTH ? PREFIX_LENGTH : Math.floor(secret.length / 2))

/** A secret in the form that logs and messages may contain: `sk-test-...`. */
export const masked = (secret: string): string => `${prefixOf(secret)}...`
