/** An API key of an entity. The secret itself is kept nowhere: only its SHA-256, in lower-case hexadecimal. */
export interface ApiKey {
  readonly keyId: string
  readonly entityId: string
  readonly name: string
  /** The secret's first 8 characters, to recognise it by. */
  readonly prefix: string
  readonly status: 'active' | 'revoked'
  /** ns since the epoch, or null: never. A rotated key expires at the end of its grace. */
  readonly expiresAt: bigint | null
  readonly createdAt: bigint
}

/** Whether the key opens anything at `now` (ns since the epoch). */
export const isUsable = (key: ApiKey, now: bigint): boolean =>
  key.status === 'active' && (key.expiresAt === null || now < key.expiresAt)
