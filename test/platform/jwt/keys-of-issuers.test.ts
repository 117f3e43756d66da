import { beforeAll, describe, expect, test } from 'vitest'
import type { TokenIssuer } from '../../../src/core/model/token-issuer.ts'
import type { Logger } from '../../../src/core/ports/platform.ts'
import { silentLogger } from '../../../src/core/ports/platform.ts'
import { createTokenVerifier } from '../../../src/platform/jwt/token-verifier.ts'
import { lruCaches } from '../../../src/platform/runtime.ts'
import { createTestClock, SECOND } from '../../core/test-clock.ts'
import { createIssuerKey, type IssuerKey, startTokenIssuer } from '../../support/token-issuer.ts'

let key: IssuerKey
let next: IssuerKey

beforeAll(async () => {
  ;[key, next] = await Promise.all([createIssuerKey('key-1'), createIssuerKey('key-2')])
})

const ACCEPTED = { entityId: 'jwt:corp:alice' }
const UNKNOWN = expect.objectContaining({
  ...{ code: 'unauthorized', message: 'The token is not valid: its key is not known' },
})
const UNAVAILABLE = expect.objectContaining({ code: 'unavailable' })

const createWorld = async (options: Partial<TokenIssuer> = {}) => {
  const warnings: unknown[] = []
  const logger: Logger = { ...silentLogger, warn: (_, fields) => warnings.push(fields?.reason) }
  const issuer = await startTokenIssuer([key])
  const clock = createTestClock()
  const issuers = [issuer.settings(options)]
  const verifier = createTokenVerifier({ issuers, clock, caches: lruCaches, logger })
  const verify = async (token: string): Promise<unknown> => verifier.verify(token)
  const signed = async (by: IssuerKey, jti = ''): Promise<unknown> => verify(await issuer.sign(by, { jti }))
  /** A request with a verified token, and time for what it has begun. */
  const settled = async (count: number) => expect.poll(() => issuer.requests.length).toBe(count)
  return { issuer, clock, verify, signed, warnings, settled }
}

describe('the keys of an issuer', () => {
  test('are fetched once for concurrent and later tokens', async () => {
    const { issuer, signed } = await createWorld()
    const tokens = Array.from({ length: 20 }, (_, at) => signed(key, String(at)))
    expect(await Promise.all(tokens)).toEqual(tokens.map(() => expect.objectContaining(ACCEPTED)))
    await signed(key, 'later')
    expect(issuer.requests).toEqual(['/keys'])
  })

  test('are fetched at once for the first unknown key, and then once a minute', async () => {
    const { issuer, clock, signed } = await createWorld()
    await signed(key)
    issuer.keys = [key.publicJwk, next.publicJwk]
    expect(await signed(next)).toMatchObject(ACCEPTED)
    expect(issuer.requests).toHaveLength(2)
    for (let second = 0; second < 60; second++) {
      await expect(signed({ ...key, kid: `invented-${second}` })).rejects.toEqual(UNKNOWN)
      clock.advance(SECOND)
    }
    expect(issuer.requests).toHaveLength(2)
    const flood = Array.from({ length: 50 }, (_, at) => signed({ ...key, kid: `flood-${at}` }))
    for (const each of await Promise.allSettled(flood))
      expect(each).toEqual({ status: 'rejected', reason: UNKNOWN })
    expect(issuer.requests).toHaveLength(3)
  })

  test('are fetched once for a flood of unknown keys that comes first', async () => {
    const { issuer, signed } = await createWorld()
    for (let at = 0; at < 10; at++)
      await expect(signed({ ...key, kid: `invented-${at}` })).rejects.toEqual(UNKNOWN)
    expect(issuer.requests).toHaveLength(1)
  })

  test('are fetched again after ten minutes, while requests use the cached ones', async () => {
    const { issuer, clock, signed, verify, settled } = await createWorld()
    const token = await issuer.sign(key)
    await verify(token)
    issuer.keys = [next.publicJwk]
    clock.advance(599n * SECOND)
    expect(await verify(token)).toMatchObject(ACCEPTED)
    expect(issuer.requests).toHaveLength(1)
    clock.advance(SECOND)
    expect(await verify(token)).toMatchObject(ACCEPTED)
    await settled(2)
    expect(await signed(next)).toMatchObject(ACCEPTED)
    await expect(verify(token)).rejects.toEqual(UNKNOWN)
  })

  test('stay valid while the issuer cannot be reached, and are tried again once a minute', async () => {
    const { issuer, clock, signed, settled, warnings } = await createWorld()
    await signed(key)
    issuer.isDown = true
    clock.advance(600n * SECOND)
    expect(await signed(key, '1')).toMatchObject(ACCEPTED)
    await settled(2)
    await expect.poll(() => warnings.length).toBe(1)
    expect(await signed(key, '2')).toMatchObject(ACCEPTED)
    expect(issuer.requests).toHaveLength(2)
    clock.advance(60n * SECOND)
    expect(await signed(key, '3')).toMatchObject(ACCEPTED)
    await settled(3)
  })

  test('that may be new are unavailable while the issuer cannot be reached', async () => {
    const { issuer, clock, signed } = await createWorld()
    await signed(key)
    issuer.isDown = true
    await expect(signed(next, '1')).rejects.toEqual(UNAVAILABLE)
    await expect(signed(next, '2')).rejects.toEqual(UNAVAILABLE)
    expect(await signed(key, '3')).toMatchObject(ACCEPTED)
    expect(issuer.requests).toHaveLength(2)
    issuer.isDown = false
    issuer.keys = [next.publicJwk]
    clock.advance(60n * SECOND)
    expect(await signed(next, '4')).toMatchObject(ACCEPTED)
  })

  test('that were never fetched are tried again after five seconds', async () => {
    const { issuer, clock, signed } = await createWorld()
    issuer.isDown = true
    const both = await Promise.allSettled([signed(key, '1'), signed(key, '2')])
    expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    await expect(signed(key, '3')).rejects.toEqual(UNAVAILABLE)
    expect(issuer.requests).toHaveLength(1)
    issuer.isDown = false
    clock.advance(5n * SECOND)
    expect(await signed(key, '4')).toMatchObject(ACCEPTED)
  })
})

describe('a response without usable keys is unavailable, and logged:', () => {
  test.each([
    ['another status', { status: 500, body: '' }, /responded with 500$/],
    ['nothing', { status: 404, body: '' }, /responded with 404$/],
    [
      'a redirect, which is not followed',
      { status: 302, headers: { location: '/elsewhere' }, body: '' },
      /responded with 302$/,
    ],
    ['no JSON', { status: 200, body: '<html>' }, /is not an object of JSON with a list of keys/],
    ['no list', { status: 200, body: '{"keys":{}}' }, /is not an object of JSON with a list of keys/],
    ['no keys', { status: 200, body: '{"keys":[]}' }, /contains no public RSA or EC key/],
    [
      'only shared secrets',
      { status: 200, body: '{"keys":[{"kty":"oct","k":"AAAA","kid":"key-1"}, null, 7]}' },
      /contains no public/,
    ],
    [
      'too many keys',
      { status: 200, body: JSON.stringify({ keys: Array(101).fill({ kty: 'RSA' }) }) },
      /more than 100 keys/,
    ],
    [
      'a huge body',
      { status: 200, body: `{"keys":[]${' '.repeat(300_000)}}` },
      /is longer than 262144 bytes/,
    ],
  ])('%s', async (_, answer, reason) => {
    const { issuer, signed, warnings } = await createWorld()
    issuer.answers.set('/keys', answer)
    await expect(signed(key)).rejects.toEqual(UNAVAILABLE)
    expect(warnings).toEqual([expect.stringMatching(reason)])
    expect(issuer.requests).toEqual(['/keys'])
  })

  test('a private key is not used', async () => {
    const { issuer, signed } = await createWorld()
    issuer.keys = [{ ...key.publicJwk, d: 'AAAA' }, next.publicJwk]
    await expect(signed(key)).rejects.toEqual(UNKNOWN)
    expect(await signed(next)).toMatchObject(ACCEPTED)
  })

  test('a key that is broken or too short rejects its tokens only', async () => {
    const { issuer, signed } = await createWorld()
    issuer.keys = [{ kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA', kid: 'key-1', alg: 'ES256' }, next.publicJwk]
    await expect(signed(key)).rejects.toEqual(expect.objectContaining({ code: 'unauthorized' }))
    expect(await signed(next)).toMatchObject(ACCEPTED)
  })
})

describe('without jwks_uri', () => {
  const DISCOVERY = '/.well-known/openid-configuration'

  test('keys are where the discovery document states, which is read once', async () => {
    const { issuer, signed } = await createWorld({ jwksUri: null })
    const document = { issuer: issuer.origin, jwks_uri: `${issuer.origin}/keys` }
    issuer.answers.set(DISCOVERY, { status: 200, body: JSON.stringify(document) })
    expect(await signed(key)).toMatchObject(ACCEPTED)
    await expect(signed(next)).rejects.toEqual(UNKNOWN)
    expect(issuer.requests).toEqual([DISCOVERY, '/keys', '/keys'])
  })

  test('keys that have moved are found again', async () => {
    const { issuer, clock, signed } = await createWorld({ jwksUri: null })
    const document = (path: string) =>
      issuer.answers.set(DISCOVERY, {
        status: 200,
        body: JSON.stringify({ issuer: issuer.origin, jwks_uri: issuer.origin + path }),
      })
    document('/keys')
    expect(await signed(key)).toMatchObject(ACCEPTED)
    document('/moved')
    issuer.answers.set('/keys', { status: 404, body: '' })
    issuer.answers.set('/moved', { status: 200, body: JSON.stringify({ keys: [next.publicJwk] }) })
    await expect(signed(next)).rejects.toEqual(UNAVAILABLE)
    clock.advance(60n * SECOND)
    expect(await signed(next)).toMatchObject(ACCEPTED)
  })

  test('keys of an issuer without that document are at /.well-known/jwks.json', async () => {
    const { issuer, signed } = await createWorld({ jwksUri: null })
    expect(await signed(key)).toMatchObject(ACCEPTED)
    expect(issuer.requests).toEqual([DISCOVERY, '/.well-known/jwks.json'])
  })

  test.each([
    ['of another issuer', { issuer: 'https://evil.example' }, /is the document of another issuer/],
    ['without an address', { jwks_uri: undefined }, /is not an address to fetch keys from/],
    [
      'with an address that is no https',
      { jwks_uri: 'http://keys.example/keys' },
      /is not an address to fetch keys from/,
    ],
    ['with an address of a file', { jwks_uri: 'file:///etc/passwd' }, /is not an address to fetch keys from/],
  ])('a document %s is not used', async (_, fields, reason) => {
    const { issuer, signed, warnings } = await createWorld({ jwksUri: null })
    const document = { issuer: issuer.origin, jwks_uri: `${issuer.origin}/keys`, ...fields }
    issuer.answers.set(DISCOVERY, { status: 200, body: JSON.stringify(document) })
    await expect(signed(key)).rejects.toEqual(UNAVAILABLE)
    expect(warnings).toEqual([expect.stringMatching(reason)])
  })
})
