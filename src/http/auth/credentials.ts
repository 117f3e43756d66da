import { timingSafeEqual } from 'node:crypto'
import type { Secrets } from '../../core/ports/secrets.ts'

/** Compares a token with a secret in a time that tells nothing of either. */
export const createTokenCheck = (secrets: Secrets, expected: string): ((token: string) => boolean) => {
  const expectedHash = Buffer.from(secrets.hash(expected))
  return (token) => timingSafeEqual(Buffer.from(secrets.hash(token)), expectedHash)
}
