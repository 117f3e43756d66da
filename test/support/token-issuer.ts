import { type CryptoKey, exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose'
import type { TokenIssuer } from '../../src/core/model/token-issuer.ts'
import { START } from '../core/test-clock.ts'
import { startServer } from './loopback-server.ts'

/** Seconds since the epoch at the start of test clocks. */
export const START_SECONDS = Number(START / 1_000_000_000n)

export const AUDIENCE = 'api://zael'

/** A key pair of an issuer; the private key signs. */
export interface IssuerKey {
  readonly kid: string
  readonly alg: string
  readonly privateKey: CryptoKey
  readonly publicJwk: JWK
}

export const createIssuerKey = async (kid: string, alg = 'ES256'): Promise<IssuerKey> => {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true })
  return { kid, alg, privateKey, publicJwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } }
}

interface Answer {
  readonly status: number
  readonly headers?: Record<string, string>
  readonly body: string
}

/** An issuer of tokens on loopback. */
export interface TestIssuer {
  readonly origin: string
  /** The paths of all requests so far. */
  readonly requests: readonly string[]
  /** The keys that it serves at `/keys` and `/.well-known/jwks.json`. */
  keys: readonly JWK[]
  /** Replaces the response at a path. */
  readonly answers: Map<string, Answer>
  /** While true, connections are closed without a response. */
  isDown: boolean
  /** A configuration that accepts its tokens. */
  settings(options?: Partial<TokenIssuer>): TokenIssuer
  /** A token of user `alice`, valid for an hour from the start of test clocks; `claims` and `header` override its own. */
  sign(key: IssuerKey, claims?: object, header?: Record<string, unknown>): Promise<string>
}

export const startTokenIssuer = async (keys: readonly IssuerKey[]): Promise<TestIssuer> => {
  const requests: string[] = []
  const { origin } = await startServer(({ url = '' }, response) => {
    requests.push(url)
    if (issuer.isDown) {
      response.destroy()
      return
    }
    const given = issuer.answers.get(url)
    const isKeys = url === '/keys' || url === '/.well-known/jwks.json'
    const { status, headers, body } = given ?? {
      status: isKeys ? 200 : 404,
      headers: {},
      body: JSON.stringify(isKeys ? { keys: issuer.keys } : {}),
    }
    response.writeHead(status, headers).end(body)
  })
  const issuer: TestIssuer = {
    origin,
    requests,
    keys: keys.map(({ publicJwk }) => publicJwk),
    answers: new Map(),
    isDown: false,
    settings: (options) => ({
      ...{
        name: 'corp',
        issuer: origin,
        audiences: [AUDIENCE],
        audienceClaim: 'aud',
        jwksUri: `${origin}/keys`,
      },
      ...{ entityClaim: 'sub', tenantClaim: null, roleClaim: null, userClaim: null },
      ...options,
    }),
    sign: (key, claims, header) =>
      new SignJWT({ ...claimsOf(origin), ...claims })
        .setProtectedHeader({ alg: key.alg, kid: key.kid, ...header })
        .sign(key.privateKey),
  }
  return issuer
}

const claimsOf = (issuer: string): JWTPayload => ({
  ...{ iss: issuer, aud: AUDIENCE, sub: 'alice' },
  ...{ iat: START_SECONDS, exp: START_SECONDS + 3600 },
})

/** A token of any parts, signed with any bytes: for tokens that no library signs. */
export const tokenOf = (header: unknown, claims: unknown, signature = 'AAAA'): string =>
  [
    ...[header, claims].map((part) => base64url(typeof part === 'string' ? part : JSON.stringify(part))),
    signature,
  ].join('.')

const base64url = (text: string): string => Buffer.from(text).toString('base64url')
