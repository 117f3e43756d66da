/** An issuer of tokens (JWTs) that act as entities. */
export interface TokenIssuer {
  /** Part of the ids of its entities: `jwt:<name>:<claim>`. */
  readonly name: string
  /** The claim `iss`, exactly. */
  readonly issuer: string
  /** One of them must be in the claim `audienceClaim`. */
  readonly audiences: readonly string[]
  /** `aud`, or the claim that an issuer sends instead: `client_id` in access tokens of Cognito. */
  readonly audienceClaim: string
  /** Where its keys are; null: found by OpenID Connect Discovery. */
  readonly jwksUri: string | null
  readonly entityClaim: string
  readonly tenantClaim: string | null
  readonly roleClaim: string | null
  readonly userClaim: string | null
}
