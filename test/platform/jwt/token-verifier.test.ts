import { createHash, createHmac } from 'node:crypto'
import { exportSPKI, generateKeyPair, importJWK } from 'jose'
import { beforeAll, describe, expect, test } from 'vitest'
import { MS_NS } from '../../../src/core/model/time.ts'
import type { TokenIssuer } from '../../../src/core/model/token-issuer.ts'
import { silentLogger } from '../../../src/core/ports/platform.ts'
import type { TokenVerifier } from '../../../src/core/ports/token-verifier.ts'
import { createTokenVerifier } from '../../../src/platform/jwt/token-verifier.ts'
import { lruCaches } from '../../../src/platform/runtime.ts'
import { createTestClock, SECOND, START, type TestClock } from '../../core/test-clock.ts'
import {
  AUDIENCE,
  createIssuerKey,
  type IssuerKey,
  START_SECONDS,
  startTokenIssuer,
  type TestIssuer,
  tokenOf,
} from '../../support/token-issuer.ts'

let key: IssuerKey
let other: IssuerKey
let rsa: IssuerKey

beforeAll(async () => {
  ;[key, other, rsa] = await Promise.all([
    createIssuerKey('key-1'),
    createIssuerKey('key-2'),
    createIssuerKey('rsa-1', 'RS256'),
  ])
})

const verifierOf = (issuers: readonly TokenIssuer[], clock: TestClock): TokenVerifier =>
  createTokenVerifier({ issuers, clock, caches: lruCaches, logger: silentLogger })

interface World {
  readonly issuer: TestIssuer
  readonly clock: TestClock
  readonly verifier: TokenVerifier
  readonly verify: (token: string) => Promise<unknown>
}

const createWorld = async (options: Partial<TokenIssuer> = {}, keys = [key]): Promise<World> => {
  const issuer = await startTokenIssuer(keys)
  const clock = createTestClock()
  const verifier = verifierOf([issuer.settings(options)], clock)
  return { issuer, clock, verifier, verify: async (token) => verifier.verify(token) }
}

const NOT_VALID = (why: RegExp | string) =>
  expect.objectContaining({
    code: 'unauthorized',
    message: typeof why === 'string' ? `The token is not valid: ${why}` : expect.stringMatching(why),
  })

describe('a valid token', () => {
  test('names an entity by its claim `sub`', async () => {
    const { issuer, verify } = await createWorld()
    expect(await verify(await issuer.sign(key))).toEqual({
      entityId: 'jwt:corp:alice',
      role: null,
      tenantId: null,
      user: null,
      issuedAt: START,
      expiresAt: START + 3600n * SECOND,
    })
  })

  test.each(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512'])(
    'may be signed with %s',
    async (alg) => {
      const own = await createIssuerKey('own', alg)
      const { issuer, verify } = await createWorld({}, [own])
      expect(await verify(await issuer.sign(own))).toMatchObject({ entityId: 'jwt:corp:alice' })
    },
  )

  test.each(['alice@example.com', 'x'.repeat(119)])(
    'whose claim is the id %j has it in its id',
    async (sub) => {
      const { issuer, verify } = await createWorld()
      expect(await verify(await issuer.sign(key, { sub }))).toMatchObject({ entityId: `jwt:corp:${sub}` })
    },
  )

  test.each([
    ['is no id', 'auth0|123'],
    ['is no id', 'Zoë'],
    ['is no id', ' '],
    ['is too long for an id with its prefix', 'x'.repeat(120)],
    ['looks like a hash', `h-${'a'.repeat(32)}`],
  ])('whose claim %s has its hash in its id: %j', async (_, sub) => {
    const { issuer, verify } = await createWorld()
    const digits = createHash('sha256').update(sub).digest('hex').slice(0, 32)
    expect(await verify(await issuer.sign(key, { sub }))).toMatchObject({ entityId: `jwt:corp:h-${digits}` })
  })

  test('names a role, a tenant and a user by the configured claims', async () => {
    const claims = {
      entityClaim: 'oid',
      tenantClaim: 'https://corp.example/tenant',
      roleClaim: 'roles',
      userClaim: 'email',
    }
    const { issuer, verify } = await createWorld(claims)
    const token = await issuer.sign(key, {
      ...{ oid: 'o-1', 'https://corp.example/tenant': 'acme', email: 'zoë@example.com' },
      roles: ['not a role', 'admin', 'user'],
    })
    expect(await verify(token)).toMatchObject({
      ...{ entityId: 'jwt:corp:o-1', tenantId: 'acme', role: 'admin', user: 'zoë@example.com' },
    })
  })

  test.each([
    [{ role: 'admin' }, 'admin'],
    [{ role: '' }, null],
    [{ role: [] }, null],
    [{ role: null }, null],
    [{ role: 'read write' }, null],
    [{}, null],
  ])('with %j has the role %s', async (claims, role) => {
    const { issuer, verify } = await createWorld({ roleClaim: 'role' })
    expect(await verify(await issuer.sign(key, claims))).toMatchObject({ role })
  })

  test('may have several audiences, one of them the configured one', async () => {
    const { issuer, verify } = await createWorld({ audiences: ['x', AUDIENCE] })
    expect(await verify(await issuer.sign(key, { aud: ['y', AUDIENCE] }))).toMatchObject({ role: null })
  })

  test('of Cognito has its audience in another claim', async () => {
    const { issuer, verify } = await createWorld({ audiences: ['app-1'], audienceClaim: 'client_id' })
    const token = await issuer.sign(key, { client_id: 'app-1', aud: undefined })
    expect(await verify(token)).toMatchObject({ entityId: 'jwt:corp:alice' })
    await expect(verify(await issuer.sign(key, { aud: 'app-1' }))).rejects.toEqual(
      NOT_VALID('it is for another audience'),
    )
  })

  test('selects among several issuers by `iss` and audience', async () => {
    const [first, second] = [await startTokenIssuer([key]), await startTokenIssuer([other])]
    const clock = createTestClock()
    const verifier = verifierOf(
      [
        first.settings({ name: 'a' }),
        first.settings({ name: 'b', audiences: ['b'] }),
        second.settings({ name: 'c' }),
      ],
      clock,
    )
    expect(await verifier.verify(await first.sign(key))).toMatchObject({ entityId: 'jwt:a:alice' })
    expect(await verifier.verify(await first.sign(key, { aud: 'b' }))).toMatchObject({
      entityId: 'jwt:b:alice',
    })
    expect(await verifier.verify(await second.sign(other))).toMatchObject({ entityId: 'jwt:c:alice' })
    await expect(async () => verifier.verify(await second.sign(key))).rejects.toEqual(
      NOT_VALID(/key|signature/),
    )
  })

  test('without a key id is verified with each key of its kind', async () => {
    const { issuer, verify } = await createWorld({}, [other, key])
    expect(await verify(await issuer.sign(key, {}, { kid: undefined }))).toMatchObject({ role: null })
    const stranger = await createIssuerKey('stranger')
    await expect(verify(await issuer.sign(stranger, {}, { kid: undefined }))).rejects.toEqual(
      NOT_VALID('its signature is wrong'),
    )
  })

  test('is verified once while it is valid: the second time no promise is needed', async () => {
    const { issuer, clock, verifier } = await createWorld()
    const token = await issuer.sign(key)
    const first = await verifier.verify(token)
    expect(verifier.verify(token)).toBe(first)
    clock.advance(3600n * SECOND - MS_NS)
    expect(verifier.verify(token)).toBe(first)
    clock.advance(MS_NS)
    await expect(async () => verifier.verify(token)).rejects.toEqual(NOT_VALID('it has expired'))
  })
})

test.each([1e15, 1e300])('a token that is valid until %d is remembered as well', async (exp) => {
  const { issuer, verifier } = await createWorld()
  const token = await issuer.sign(key, { exp })
  const first = await verifier.verify(token)
  expect(first.expiresAt).toBe(253_402_300_800n * SECOND)
  expect(verifier.verify(token)).toBe(first)
})

describe('a token is rejected', () => {
  const HOUR = 3600
  test.each([
    ['that has expired', { exp: START_SECONDS }, 'it has expired'],
    ['that never expires', { exp: undefined }, 'it has no claim exp'],
    ['whose exp is a text', { exp: 'tomorrow' }, 'its claim exp is wrong'],
    ['that is not valid yet', { nbf: START_SECONDS + 1 }, 'it is not valid yet'],
    ['of another issuer', { iss: 'https://evil.example' }, 'its issuer is not accepted'],
    ['without an issuer', { iss: undefined }, 'its issuer is not accepted'],
    ['for another audience', { aud: 'api://other' }, 'it is for another audience'],
    ['for a longer audience', { aud: `${AUDIENCE}/x` }, 'it is for another audience'],
    ['without an audience', { aud: undefined }, 'it is for another audience'],
    ['without a subject', { sub: undefined }, 'it has no claim sub'],
    ['with an empty subject', { sub: '' }, 'its claim sub is not a text'],
    ['with an object as its subject', { sub: { id: 'alice' } }, 'its claim sub is not a text'],
    ['with a number as its subject', { sub: 42 }, 'its claim sub is not a text'],
    ['with a list as its subject', { sub: ['alice'] }, 'its claim sub is not a text'],
    [
      'with an object as its role',
      { role: { name: 'admin' } },
      'its claim role is neither a text nor a list of texts',
    ],
    [
      'with a list of objects as its role',
      { role: ['user', {}] },
      'its claim role is neither a text nor a list of texts',
    ],
    ['with an empty tenant', { tenant: '' }, 'its claim tenant is not a text'],
    ['with a list as its tenant', { tenant: ['acme'] }, 'its claim tenant is not a text'],
    ['whose tenant is no id', { tenant: 'Ácme' }, 'its claim tenant names no tenant'],
    ['with an object as its user', { user: {} }, 'its claim user is not a text'],
    // all such texts would have one hash
    ['with half a character in its subject', { sub: 'a\ud800' }, 'its claim sub is not a text'],
    ['with half a character in its user', { user: '\udfff' }, 'its claim user is not a text'],
  ])('%s', async (_, claims, why) => {
    const { issuer, verify } = await createWorld({
      tenantClaim: 'tenant',
      roleClaim: 'role',
      userClaim: 'user',
    })
    const token = await issuer.sign(key, { nbf: START_SECONDS - HOUR, ...claims })
    await expect(verify(token)).rejects.toEqual(NOT_VALID(why))
  })

  test('whose claims are those of the prototype', async () => {
    const { issuer, verify } = await createWorld({ entityClaim: 'constructor' })
    await expect(verify(await issuer.sign(key))).rejects.toEqual(NOT_VALID('it has no claim constructor'))
  })

  test('that is not signed', async () => {
    const { issuer, verify, verifier } = await createWorld()
    const claims = { iss: issuer.origin, aud: AUDIENCE, sub: 'alice', exp: START_SECONDS + HOUR }
    for (const alg of ['none', 'None', 'NONE', '', null, 7, ['RS256']]) {
      for (const signature of ['', 'AAAA']) {
        const token = tokenOf({ alg, kid: 'key-1' }, claims, signature)
        expect(verifier.recognizes(token)).toBe(true)
        await expect(verify(token)).rejects.toEqual(NOT_VALID('its algorithm is not accepted'))
      }
    }
  })

  test('that is signed with the public key as a shared secret', async () => {
    const { issuer, verify } = await createWorld({}, [rsa])
    const claims = { iss: issuer.origin, aud: AUDIENCE, sub: 'alice', exp: START_SECONDS + HOUR }
    const publicKey = await importJWK(rsa.publicJwk, 'RS256', { extractable: true })
    if (publicKey instanceof Uint8Array) throw new Error('the key is a secret')
    for (const secret of [await exportSPKI(publicKey), JSON.stringify(rsa.publicJwk)]) {
      const unsigned = tokenOf({ alg: 'HS256', kid: 'rsa-1' }, claims, '').slice(0, -1)
      const signature = createHmac('sha256', secret).update(unsigned).digest('base64url')
      await expect(verify(`${unsigned}.${signature}`)).rejects.toEqual(
        NOT_VALID('its algorithm is not accepted'),
      )
    }
  })

  test('whose algorithm is not that of its key', async () => {
    const { issuer, verify } = await createWorld({}, [rsa, key])
    await expect(verify(await issuer.sign({ ...key, kid: 'rsa-1' }))).rejects.toEqual(
      NOT_VALID(/key|signature/),
    )
    const pss = { ...(await createIssuerKey('rsa-1', 'PS256')) }
    await expect(verify(await issuer.sign(pss))).rejects.toEqual(NOT_VALID(/key|signature/))
  })

  test('that is signed with EdDSA, although its issuer has such a key', async () => {
    const pair = await generateKeyPair('EdDSA', { extractable: true })
    const { issuer, verify } = await createWorld()
    const token = await issuer.sign({ ...key, alg: 'EdDSA', privateKey: pair.privateKey })
    await expect(verify(token)).rejects.toEqual(NOT_VALID('its algorithm is not accepted'))
  })

  test('whose signature is that of other claims', async () => {
    const { issuer, verify } = await createWorld()
    const [header, , signature] = (await issuer.sign(key)).split('.')
    const [, claims] = (await issuer.sign(key, { sub: 'bob' })).split('.')
    await expect(verify([header, claims, signature].join('.'))).rejects.toEqual(
      NOT_VALID('its signature is wrong'),
    )
  })

  test('that brings its own key', async () => {
    const stranger = await createIssuerKey('key-1')
    const { issuer, verify } = await createWorld()
    const evil = await startTokenIssuer([stranger])
    for (const header of [
      { jwk: stranger.publicJwk },
      { jku: `${evil.origin}/keys` },
      { x5u: `${evil.origin}/keys` },
      { jku: `${evil.origin}/keys`, jwk: stranger.publicJwk, x5c: ['AAAA'] },
    ])
      await expect(verify(await issuer.sign(stranger, {}, header))).rejects.toEqual(
        NOT_VALID('its signature is wrong'),
      )
    expect(evil.requests).toEqual([])
  })

  test('with critical headers that are not known', async () => {
    const { issuer, verify } = await createWorld()
    const [header = '', claims, signature] = (await issuer.sign(key)).split('.')
    const critical = { ...JSON.parse(Buffer.from(header, 'base64url').toString()), crit: ['x'], x: 1 }
    const token = [Buffer.from(JSON.stringify(critical)).toString('base64url'), claims, signature].join('.')
    await expect(verify(token)).rejects.toEqual(NOT_VALID('its signature is wrong'))
  })

  test.each([
    ['{"alg":"ES256","kid":"key-1","alg":"ES256"}', '{"sub":"alice"}', 'its header repeats a name'],
    ['{"alg":"ES256"}', '{"sub":"alice","sub":"bob"}', 'its payload repeats a name'],
    ['{"alg":"ES256"}', '{"sub":"alice","s\\u0075b":"bob"}', 'its payload repeats a name'],
    [
      '{"alg":"ES256"}',
      '{"a":[{"sub":"x","sub":"y"}],"b":{"c":":"},"c":"}","iss":1}',
      'its issuer is not accepted',
    ],
    ['{"alg":"ES256"}', '"alice"', 'its payload is not an object of JSON'],
    ['{"alg":"ES256"}', '[{"sub":"alice"}]', 'its payload is not an object of JSON'],
    ['{"alg":"ES256"}', 'null', 'its payload is not an object of JSON'],
    ['{"alg":"ES256"}', '{"sub":"alice"', 'its payload is not an object of JSON'],
  ])('with the header %s and the payload %s', async (header, claims, why) => {
    const { issuer, verify } = await createWorld()
    await expect(verify(tokenOf(header, claims))).rejects.toEqual(NOT_VALID(why))
    expect(issuer.requests).toEqual([])
  })

  test('of bytes that are no text', async () => {
    const { verify } = await createWorld()
    const header = Buffer.from('{"alg":"ES256"}').toString('base64url')
    const claims = Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]).toString('base64url')
    await expect(verify(`${header}.${claims}.AAAA`)).rejects.toEqual(
      NOT_VALID('its payload is not an object of JSON'),
    )
  })

  test('of more than 8 KB, before it is decoded', async () => {
    const { issuer, verify } = await createWorld()
    const long = await issuer.sign(key, { padding: 'x'.repeat(6000) })
    await expect(verify(long)).rejects.toEqual(NOT_VALID('it is longer than 8 KB'))
    const short = await issuer.sign(key, { padding: 'x'.repeat(5000) })
    expect(await verify(short)).toMatchObject({ entityId: 'jwt:corp:alice' })
  })
})

test.each([
  ['a key', 'sk-test-tier-a', false],
  ['a key with dots', 'a.b.c', false],
  ['two parts', tokenOf({ alg: 'ES256' }, {}).split('.').slice(0, 2).join('.'), false],
  ['five parts (encrypted)', `${tokenOf({ alg: 'RSA-OAEP' }, {})}.AAAA.AAAA`, false],
  ['a header without alg', tokenOf({ typ: 'JWT' }, {}), false],
  ['a header that is a list', tokenOf(['alg'], {}), false],
  ['a header that inherits alg', tokenOf('{"__proto__":{"alg":"ES256"}}', {}), false],
  ['characters that are not base64url', `${tokenOf({ alg: 'ES256' }, {})}+`, false],
  ['a token', tokenOf({ alg: 'ES256' }, {}), true],
  ['an unsecured token', tokenOf({ alg: 'none' }, {}, ''), true],
])('%s is recognized as a token: %s, %s', async (_, text, is) => {
  const { verifier } = await createWorld()
  expect(verifier.recognizes(text)).toBe(is)
})
