import { sharedRead } from '../../core/ports/shared-read.ts'
import type { TokenVerifier } from '../../core/ports/token-verifier.ts'
import { sha256 } from '../runtime.ts'
import { invalidToken, isToken, LONGEST_TOKEN } from './token-form.ts'
import type { TokenVerifierOptions, Verify } from './verification.ts'

/**
 * Verifies tokens of these issuers. The code that verifies is loaded with the first token, and keys are fetched with the first of
 * their issuer; both are cached.
 */
export const createTokenVerifier = (options: TokenVerifierOptions): TokenVerifier => {
  let verify: Verify | undefined
  const load = sharedRead(async () => {
    const { createVerification } = await import('./verification.ts')
    verify = createVerification(options)
    return verify
  })
  return {
    recognizes: isToken,
    verify(token, hash = sha256(token)) {
      if (token.length > LONGEST_TOKEN) throw invalidToken('it is longer than 8 KB')
      return verify === undefined ? load().then((loaded) => loaded(token, hash)) : verify(token, hash)
    },
  }
}
