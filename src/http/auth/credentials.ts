import { timingSafeEqual } from 'node:crypto'
import type { Secrets } from '../../core/ports/platform.ts'

/** Compares the hash of a token with a secret's in a time that tells nothing of either. */
export const createTokenCheck = (secrets: Secrets, expected: string): ((tokenHash: Buffer) => boolean) => {
  const expectedHash = Buffer.from(secrets.hash(expected))
  return (tokenHash) => timingSafeEqual(tokenHash, expectedHash)
}
