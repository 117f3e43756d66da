import { type Context, Hono } from 'hono'
import { beforeAll, describe, expect, test } from 'vitest'
import { rateLimit } from '../../../src/library/hono.ts'
import {
  byClientIp,
  byJwt,
  createRateLimiter,
  firstOf,
  type JwtOptions,
  type RateLimitOptions,
  silentLogger,
} from '../../../src/library/index.ts'
import { createTestClock, SECOND } from '../../core/test-clock.ts'
import {
  AUDIENCE,
  createIssuerKey,
  type IssuerKey,
  START_SECONDS,
  startTokenIssuer,
} from '../../support/token-issuer.ts'
import { createTableWorld } from '../table-world.ts'

let key: IssuerKey

beforeAll(async () => {
  key = await createIssuerKey('key-1')
})

const RPM_5 = [{ name: 'rpm', capacity: 5, refill_rate: 5 / 60 }]

const createWorld = async (options: Partial<JwtOptions> = {}) => {
  const issuer = await startTokenIssuer([key])
  const clock = createTestClock()
  const jwt = byJwt({
    ...{
      issuer: issuer.origin,
      audience: AUDIENCE,
      roleClaim: 'role',
      tenantClaim: 'tenant',
      userClaim: 'user',
    },
    ...{ clock, logger: silentLogger },
    ...options,
  })
  const appOf = (limits: RateLimitOptions<Context>) => {
    const app = new Hono()
    app.use(rateLimit({ key: jwt, clock, logger: silentLogger, ...limits }))
    app.get('/', (c) => c.json(jwt.identityOf(c) ?? null))
    app.get('/claims', (c) => c.json(jwt.identityOf(c)?.claims ?? null))
    return app
  }
  const bearer = async (claims?: object) => ({ authorization: `Bearer ${await issuer.sign(key, claims)}` })
  return { issuer, clock, jwt, appOf, bearer }
}

describe('byJwt', () => {
  test('limits the subject of each token, and shows its identity to handlers', async () => {
    const { appOf, bearer } = await createWorld({ name: 'corp' })
    const app = appOf({ limits: RPM_5 })
    const response = await app.request('/', { headers: await bearer({ role: 'user', user: 'ann' }) })
    expect(response.headers.get('ratelimit')).toBe('"rpm";r=4')
    expect(await response.json()).toEqual({
      ...{ key: 'jwt:corp:alice', role: 'user', tenant: null, user: 'ann' },
      ...{ issuedAt: START_SECONDS, expiresAt: START_SECONDS + 3600 },
    })
    const again = await app.request('/claims', { headers: await bearer({ jti: '2' }) })
    expect(again.headers.get('ratelimit')).toBe('"rpm";r=3')
    expect(await again.json()).toMatchObject({ sub: 'alice', jti: '2' })
    const other = await app.request('/', { headers: await bearer({ sub: 'bob' }) })
    expect(other.headers.get('ratelimit')).toBe('"rpm";r=4')
  })

  test('applies the limits of the role of the latest token', async () => {
    const { appOf, bearer, clock } = await createWorld()
    clock.advance(100n * SECOND)
    const roles = { admin: [{ name: 'rpm', capacity: 500, refill_rate: 500 / 60 }] }
    const app = appOf({ limits: RPM_5, roles })
    const capacity = async (claims: object) =>
      (await app.request('/', { headers: await bearer(claims) })).headers.get('ratelimit-policy')
    expect(await capacity({})).toBe('"rpm";q=5;w=60')
    expect(await capacity({ role: 'other' })).toBe('"rpm";q=5;w=60')
    expect(await capacity({ role: 'admin', iat: START_SECONDS + 10 })).toBe('"rpm";q=500;w=60')
    expect(await capacity({ iat: START_SECONDS + 20 })).toBe('"rpm";q=5;w=60')
  })

  test.each([
    ['no token', {}, 'A token is needed: Authorization: Bearer <token>'],
    ['a token that is no JWT', { authorization: 'Bearer abc' }, 'The token is not valid: it is not a JWT'],
  ])('responds with 401 to %s', async (_, headers, message) => {
    const { appOf } = await createWorld()
    const response = await appOf({ limits: RPM_5 }).request('/', { headers })
    expect(response.status).toBe(401)
    expect(response.headers.get('www-authenticate')).toBe('Bearer')
    expect(await response.json()).toEqual({ error: 'unauthorized', message })
  })

  test('responds with 401 to a token that is not valid, also in shadow mode', async () => {
    const { appOf, bearer } = await createWorld()
    for (const shadow of [false, true]) {
      const app = appOf({ limits: RPM_5, shadow, name: `of-${shadow}` })
      const response = await app.request('/', { headers: await bearer({ exp: START_SECONDS }) })
      expect(response.status).toBe(401)
      expect(await response.json()).toEqual({
        error: 'unauthorized',
        message: 'The token is not valid: it has expired',
      })
    }
  })

  test('responds with 503 while the keys cannot be fetched', async () => {
    const { appOf, bearer, issuer } = await createWorld()
    issuer.isDown = true
    const app = appOf({ limits: RPM_5 })
    const response = await app.request('/', { headers: await bearer() })
    expect(response.status).toBe(503)
    expect(response.headers.get('retry-after')).toBe('1')
    expect(await response.json()).toMatchObject({ error: 'unavailable' })
  })

  test('that is optional leaves requests without a token to the next key', async () => {
    const { jwt, appOf, bearer } = await createWorld({ optional: true })
    const both = firstOf(jwt, byClientIp({ trustedProxies: 1 }))
    const roles = { admin: [{ name: 'rpm', capacity: 500, refill_rate: 500 / 60 }] }
    const app = appOf({ limits: RPM_5, roles, key: both })
    const statusOf = async (headers: Record<string, string>) => {
      const response = await app.request('/', { headers: { 'x-forwarded-for': '203.0.113.7', ...headers } })
      return [response.status, response.headers.get('ratelimit')]
    }
    expect(await statusOf({})).toEqual([200, '"rpm";r=4'])
    expect(await statusOf({ authorization: 'Basic YTpi' })).toEqual([200, '"rpm";r=3'])
    expect(await statusOf({ authorization: 'Bearer an-opaque-key' })).toEqual([200, '"rpm";r=2'])
    expect(await statusOf(await bearer({ role: 'admin' }))).toEqual([200, '"rpm";r=499'])
    expect(await statusOf(await bearer({ aud: 'other' }))).toEqual([401, null])
  })

  test('leaves a token to the middleware whose key it is', async () => {
    const { jwt, bearer } = await createWorld()
    const app = new Hono()
    const limits = { limits: RPM_5, logger: silentLogger }
    app.use(rateLimit({ ...limits, key: jwt }))
    app.use(rateLimit({ ...limits, key: firstOf(({ header }) => header('x-device'), jwt) }))
    app.get('/', (c) => c.text('hello'))
    const headers = await bearer({ role: 'user' })
    expect((await app.request('/', { headers: { ...headers, 'x-device': 'd-1' } })).status).toBe(200)
  })

  test('verifies tokens for apps without a middleware', async () => {
    const { jwt, issuer } = await createWorld()
    const identity = await jwt.verify(await issuer.sign(key, { role: 'admin', plan: 'pro' }))
    expect(identity.claims).toMatchObject({ plan: 'pro' })
    const limiter = createRateLimiter({
      limits: RPM_5,
      roles: { admin: [{ name: 'rpm', capacity: 9, refill_rate: 1 }] },
    })
    const { limits } = await limiter.check(identity.key, { identity })
    expect(limits).toMatchObject([{ name: 'rpm', capacity: 9, available: 8 }])
    await expect(limiter.check('another', { identity })).rejects.toMatchObject({ field: 'identity' })
    await expect(jwt.verify('abc')).rejects.toMatchObject({ code: 'unauthorized' })
    await limiter.close()
  })

  test.each([
    [{ issuer: 'http://login.example.com' }, 'issuer'],
    [{ audience: [] }, 'audience'],
    [{ name: 'a:b' }, 'name'],
    [{ jwksUri: 'ftp://keys' }, 'jwksUri'],
    [{ entityClaim: '' }, 'entityClaim'],
    [{ optional: 'yes' }, 'optional'],
    [{ fetch: 7 }, 'fetch'],
    [{ roles: {} }, 'roles'],
  ])('rejects %j, and the error names %s', (options, field) => {
    const wrong: object = { issuer: 'https://login.example.com', audience: 'a', ...options }
    expect(() => byJwt(wrong as JwtOptions)).toThrow(
      expect.objectContaining({ code: 'invalid_request', field }),
    )
  })
})

test.each([
  [{ 'not a role': RPM_5 }, 'roles.not a role'],
  [[], 'roles'],
  [{ admin: [{ name: 'rpm' }] }, /^roles\.admin\[0\]/],
])('a limiter rejects the roles %j', (roles, field) => {
  expect(() => createRateLimiter({ limits: RPM_5, roles: roles as never })).toThrow(
    expect.objectContaining({ field: typeof field === 'string' ? field : expect.stringMatching(field) }),
  )
})

describe('with the configuration of a table', () => {
  test('an identity has the limits of its role and is charged to its tenant, without an entity', async () => {
    const table = createTableWorld()
    await table.addEntity('acme', { kind: 'tenant' })
    await table.addEntity('project', { kind: 'project' })
    await table.addEntity('closed', { kind: 'tenant', disabled: true })
    await table.limit('acme', 100)
    await table.limit('admin', 50, { kind: 'role', role: 'admin' })
    const { appOf, bearer, clock } = await createWorld({ name: 'corp' })
    const limiter = createRateLimiter({ store: table.store, config: 'table', clock, logger: silentLogger })
    const app = appOf({ limiter })
    const policyOf = async (claims: object) => {
      const response = await app.request('/', { headers: await bearer(claims) })
      return [response.status, response.headers.get('ratelimit-policy')]
    }
    expect(await policyOf({ role: 'admin', tenant: 'acme' })).toEqual([200, '"rpm";q=50;w=5000'])
    expect(await policyOf({ role: 'admin' })).toEqual([200, '"rpm";q=50;w=5000'])
    expect((await policyOf({ tenant: 'project' }))[0]).toBe(401)
    expect((await policyOf({ tenant: 'nothing' }))[0]).toBe(401)
    expect((await policyOf({ tenant: 'closed' }))[0]).toBe(401)
    const acme = await limiter.check('acme', { cost: {} })
    expect(acme.limits).toMatchObject([{ entityId: 'acme', capacity: 100, available: 99 }])
    await limiter.close()
  })
})
