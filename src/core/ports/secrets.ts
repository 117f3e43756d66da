/** Makes and hashes API keys' secrets. */
export interface Secrets {
  /** A new secret: 256 random bits with a prefix and a checksum. */
  create(): string
  /** SHA-256, lower-case hexadecimal. */
  hash(secret: string): string
  /** A new unique id (key ids, audit ids, request ids). */
  id(): string
}
