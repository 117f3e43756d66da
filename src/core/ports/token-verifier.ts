import type { TokenIdentity } from '../model/token-entity.ts'
import type { Eventual } from './when-ready.ts'

/** Verifies tokens (JWTs) of the configured issuers. */
export interface TokenVerifier {
  /** Whether a Bearer token is a JWT: then it is verified, and never looked up as a key. */
  recognizes(token: string): boolean
  /**
   * The identity that the token names, at once if the same token has been verified before. Throws, or rejects, with
   * `ZaelError('unauthorized')` for every token that is not valid, and with `ZaelError('unavailable')` if the keys of its issuer
   * cannot be fetched. Reads nothing from the store. `hash`: the token's SHA-256, if the caller has computed it.
   */
  verify(token: string, hash?: string): Eventual<TokenIdentity>
}
