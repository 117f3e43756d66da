import { beforeAll, describe, expect, test } from 'vitest'
import type { TokenIssuer } from '../../../src/core/model/token-issuer.ts'
import { SECOND } from '../../core/test-clock.ts'
import {
  createIssuerKey,
  type IssuerKey,
  START_SECONDS,
  startTokenIssuer,
  type TestIssuer,
  tokenOf,
} from '../../support/token-issuer.ts'
import { ADMIN, createTestApp, type TestApp, type TestAppOptions, VIEWER } from '../test-app.ts'

let key: IssuerKey

beforeAll(async () => {
  key = await createIssuerKey('key-1')
})

interface World extends TestApp {
  readonly issuer: TestIssuer
  /** The headers of a token with these claims. */
  readonly bearer: (claims?: object) => Promise<{ readonly authorization: string }>
}

const CLAIMS: Partial<TokenIssuer> = { tenantClaim: 'tenant', roleClaim: 'role', userClaim: 'user' }

const createWorld = async (options: TestAppOptions = {}): Promise<World> => {
  const issuer = await startTokenIssuer([key])
  const app = createTestApp({ ...options, issuers: [issuer.settings(CLAIMS)] })
  const bearer: World['bearer'] = async (claims) => ({
    authorization: `Bearer ${await issuer.sign(key, claims)}`,
  })
  return { ...app, issuer, bearer }
}

const RPM_OF_ROLES = { admin: 500, user: 60 }

const setRoles = async ({ send }: TestApp): Promise<void> => {
  for (const [role, rpm] of Object.entries(RPM_OF_ROLES))
    await send('PUT', `/api/defaults?role=${role}`, {
      body: { limits: [{ name: 'rpm', capacity: rpm, refill_rate: rpm / 60 }] },
    })
}

const createTenant = ({ send }: TestApp, id: string, kind = 'tenant') =>
  send('POST', '/api/entities', { body: { entity_id: id, name: id, kind } })

const check = (app: TestApp, headers: Record<string, string>, body: object = {}) =>
  app.send('POST', '/v1/limits/check', { headers, body })

interface LimitJson {
  readonly entity_id: string
  readonly limit_name: string
  readonly capacity: number
  readonly available: number
  readonly source: string
}

const limitsIn = (body: unknown): readonly LimitJson[] => (body as { limits: LimitJson[] }).limits

const rpmIn = (body: unknown, entityId = 'jwt:corp:alice') =>
  limitsIn(body).find((limit) => limit.limit_name === 'rpm' && limit.entity_id === entityId)

const readsOf = ({ store }: TestApp): number =>
  [...store.calls.values()].reduce((sum, count) => sum + count, 0)

describe('a valid token', () => {
  test('acts as an entity that nobody has created, with the limits of its role', async () => {
    const app = await createWorld()
    await setRoles(app)
    const { status, body } = await check(app, await app.bearer({ role: 'admin' }))
    expect(status).toBe(200)
    expect(rpmIn(body)).toMatchObject({ capacity: 500, available: 499, source: 'role:admin:_default_' })
    expect(await app.store.entity('jwt:corp:alice')).toBeUndefined()
  })

  test('without a role has the defaults, and shares its limits with other tokens of the caller', async () => {
    const app = await createWorld()
    await setRoles(app)
    await check(app, await app.bearer())
    const { body } = await check(app, await app.bearer({ jti: 'another' }))
    expect(rpmIn(body)).toMatchObject({ capacity: 60, available: 58, source: 'environment' })
    const other = await check(app, await app.bearer({ sub: 'bob' }))
    expect(rpmIn(other.body, 'jwt:corp:bob')).toMatchObject({ available: 59 })
  })

  test('has the role of the latest token, on every node', async () => {
    const app = await createWorld()
    await setRoles(app)
    const other = createTestApp({ issuers: [app.issuer.settings(CLAIMS)], table: app.table })
    app.clock.advance(100n * SECOND)
    const [user, admin, demoted] = await Promise.all(
      [
        { role: 'user' },
        { role: 'admin', iat: START_SECONDS + 60 },
        { role: 'user', iat: START_SECONDS + 90 },
      ].map(app.bearer),
    )
    const capacityAt = async (node: TestApp, headers = user) =>
      rpmIn((await check(node, headers ?? {})).body)?.capacity
    expect([await capacityAt(app, user), await capacityAt(other, user)]).toEqual([60, 60])
    expect([await capacityAt(app, admin), await capacityAt(other, admin)]).toEqual([500, 500])
    expect(await capacityAt(other, user)).toBe(500)
    expect([await capacityAt(app, demoted), await capacityAt(other, demoted)]).toEqual([60, 60])
    expect([await capacityAt(app, admin), await capacityAt(other, admin)]).toEqual([60, 60])
  })

  test('is charged to the tenant that it names, each of two to its own', async () => {
    const app = await createWorld()
    for (const tenant of ['acme', 'globex']) {
      await createTenant(app, tenant)
      await app.send('PUT', `/api/limits/${tenant}`, {
        body: { limits: [{ name: 'rpm', capacity: 10, refill_rate: 1 }] },
      })
    }
    const [acme, globex] = [await app.bearer({ tenant: 'acme' }), await app.bearer({ tenant: 'globex' })]
    await check(app, acme)
    const inAcme = await check(app, acme)
    const inGlobex = await check(app, globex)
    expect(rpmIn(inAcme.body, 'acme')).toMatchObject({ available: 8 })
    expect(rpmIn(inGlobex.body, 'globex')).toMatchObject({ available: 9 })
    expect(rpmIn(inGlobex.body, 'acme')).toBeUndefined()
    expect(rpmIn(inGlobex.body)).toMatchObject({ available: 57 })
  })

  test('is subject to the policies on its tenant, its entity and its user', async () => {
    const app = await createWorld()
    await createTenant(app, 'acme')
    const limits = [{ name: 'rph', capacity: 100, refill_rate: 1 }]
    for (const policy of ['TENANT/acme', 'API_KEY/jwt:corp:alice', 'USER/*'])
      await app.send('PUT', `/api/policies/${policy}`, { body: { limits } })
    const headers = { ...(await app.bearer({ tenant: 'acme', user: 'alice@corp' })), 'x-user-id': 'mallory' }
    const { body } = await check(app, headers, { user: 'mallory' })
    expect(limitsIn(body).map(({ entity_id }) => entity_id)).toEqual([
      ...[
        'jwt:corp:alice',
        'jwt:corp:alice',
        'POLICY:USER:*',
        'POLICY:API_KEY:jwt:corp:alice',
        'POLICY:TENANT:acme',
      ],
    ])
    const own = await app.send('GET', '/v1/limits?user=mallory', { headers })
    expect(limitsIn(own.body).find(({ entity_id }) => entity_id === 'POLICY:USER:*')).toMatchObject({
      available: 99,
    })
    const unnamed = await check(app, await app.bearer({ tenant: 'acme' }), { user: 'mallory' })
    expect(limitsIn(unnamed.body).find(({ entity_id }) => entity_id === 'POLICY:USER:*')).toMatchObject({
      available: 99,
    })
  })

  test('may use the models that its tenant allows', async () => {
    const app = await createWorld()
    await createTenant(app, 'acme')
    await app.send('PATCH', '/api/entities/acme', { body: { models: ['gpt-4'] } })
    for (const id of ['gpt-4', 'gpt-5']) await app.send('PUT', `/api/models/${id}`, { body: {} })
    const headers = await app.bearer({ tenant: 'acme' })
    const { body } = await app.send('GET', '/v1/models', { headers })
    expect((body as { data: { id: string }[] }).data.map(({ id }) => id)).toEqual(['gpt-4'])
    expect((await check(app, headers, { resource: 'gpt-5' })).status).toBe(403)
  })

  test('shows its own quota and usage, and settles its own reservations', async () => {
    const app = await createWorld()
    await setRoles(app)
    const headers = await app.bearer({ role: 'user' })
    const reserved = await check(app, headers, { cost: { requests: 5 }, reserve: true })
    const { reservation_id } = reserved.body as { reservation_id: string }
    const stranger = await app.bearer({ sub: 'bob' })
    const settle = (of: { readonly authorization: string }) =>
      app.send('POST', '/v1/limits/settle', { headers: of, body: { reservation_id, cost: { requests: 2 } } })
    expect((await settle(stranger)).status).toBe(404)
    expect(await settle(headers)).toMatchObject({ status: 200, body: { settled: true } })
    const own = await app.send('GET', '/v1/limits', { headers })
    expect(rpmIn(own.body)).toMatchObject({ capacity: 60, available: 58, source: 'role:user:_default_' })
    expect(own.body).toMatchObject({ entity_id: 'jwt:corp:alice' })
    expect((await app.send('GET', '/v1/usage', { headers })).body).toEqual({
      entity_id: 'jwt:corp:alice',
      points: [],
    })
  })

  test('selects limits, never rights', async () => {
    const app = await createWorld()
    const headers = await app.bearer({ role: 'admin', scope: 'admin', admin: true })
    for (const [method, path] of [
      ['GET', '/api/entities'],
      ['PUT', '/api/limits/jwt:corp:alice'],
      ['POST', '/rate-limit/check'],
    ] as const)
      expect(await app.send(method, path, { headers, ...(method !== 'GET' && { body: {} }) })).toMatchObject({
        status: 403,
        body: { error: 'forbidden' },
      })
    expect((await check(app, { ...headers, 'x-zael-entity': 'acme' })).body).toMatchObject({ allowed: true })
    expect((await check(app, headers, { context: { tenant: 'acme' } })).status).toBe(403)
  })

  test('is no key: a key of the same text is never looked up, and tokens of admins are accepted beside', async () => {
    const app = await createWorld()
    expect((await app.send('GET', '/v1/models', { headers: VIEWER })).status).toBe(200)
    const headers = await app.bearer()
    expect((await app.send('GET', '/v1/models', { headers })).status).toBe(200)
    expect(app.store.calls.get('apiKey')).toBeUndefined()
    const asKey = await app.send('GET', '/v1/models', {
      headers: { 'x-api-key': headers.authorization.slice(7, 200) },
    })
    expect(asKey.status).toBe(401)
    expect(app.store.calls.get('apiKey')).toBe(1)
    const twoKeys = await app.send('GET', '/v1/models', { headers: { ...headers, 'x-api-key': 'another' } })
    expect(twoKeys.status).toBe(401)
  })
})

describe('the tenant of a token', () => {
  test.each([
    ['does not exist', async () => {}],
    ['is of another kind', (app: TestApp) => createTenant(app, 'acme', 'project')],
    [
      'is disabled',
      async (app: TestApp) => {
        await createTenant(app, 'acme')
        await app.send('PATCH', '/api/entities/acme', { body: { disabled: true } })
      },
    ],
  ])('that %s is 401', async (_, prepare) => {
    const app = await createWorld()
    await prepare(app)
    expect(await check(app, await app.bearer({ tenant: 'acme' }))).toMatchObject({
      status: 401,
      body: { error: { code: 'invalid_api_key' } },
    })
    const { body } = await app.send('GET', '/api/entities/jwt:corp:alice')
    expect(body).toMatchObject({ parent_id: null })
  })

  test('that cannot be read is 503', async () => {
    const app = await createWorld()
    app.store.isUnavailable = true
    expect((await check(app, await app.bearer({ tenant: 'acme' }))).status).toBe(503)
  })
})

describe('a hostile token', () => {
  const hostile = async ({ issuer }: World): Promise<readonly string[]> => {
    const stranger = await createIssuerKey('key-1')
    const claims = { iss: issuer.origin, aud: 'api://zael', sub: 'alice', exp: START_SECONDS + 60 }
    return Promise.all([
      tokenOf({ alg: 'none' }, claims, ''),
      tokenOf({ alg: 'HS256', kid: 'key-1' }, claims),
      tokenOf({ alg: 'ES256', kid: 'key-1' }, claims),
      tokenOf({ alg: 'ES256', kid: 'unknown' }, claims),
      tokenOf('{"alg":"ES256","alg":"none"}', claims),
      tokenOf({ alg: {} }, claims),
      tokenOf({ alg: 'ES256' }, { ...claims, padding: 'x'.repeat(9000) }),
      tokenOf({ alg: 'ES256' }, { ...claims, padding: 'x'.repeat(40_000) }),
      issuer.sign(stranger),
      issuer.sign(stranger, {}, { jwk: stranger.publicJwk }),
      issuer.sign(key, { exp: START_SECONDS - 1 }),
      issuer.sign(key, { nbf: START_SECONDS + 60 }),
      issuer.sign(key, { aud: 'api://other' }),
      issuer.sign(key, { iss: 'https://evil.example' }),
      issuer.sign(key, { sub: '' }),
      issuer.sign(key, { sub: { id: 'alice' } }),
      issuer.sign(key, { role: {}, tenant: 'acme' }),
      issuer.sign({ ...key, kid: '../../keys' }),
    ])
  }

  test('is 401 without a read of the table, on every route', async () => {
    const app = await createWorld()
    const tokens = await hostile(app)
    for (const token of tokens) {
      const headers = { authorization: `Bearer ${token}` }
      for (const [method, path] of [
        ['POST', '/v1/limits/check'],
        ['GET', '/v1/limits'],
        ['GET', '/api/entities'],
      ] as const) {
        const { status, headers: received } = await app.send(method, path, {
          headers,
          env: { requestContext: { http: { sourceIp: `10.0.${tokens.indexOf(token)}.1` } } },
        })
        expect([token.slice(0, 80), status]).toEqual([token.slice(0, 80), 401])
        expect(received.get('www-authenticate')).toBe('Bearer realm="zael"')
      }
      await expect(async () =>
        app.hot.identify((name) => headers[name as 'authorization']),
      ).rejects.toMatchObject({
        code: 'unauthorized',
      })
    }
    expect(readsOf(app)).toBe(0)
    // with the first token, and for the first unknown key
    expect(app.issuer.requests).toEqual(['/keys', '/keys'])
  })

  test('counts as a failed authentication of its address', async () => {
    const app = await createWorld()
    const headers = { authorization: `Bearer ${tokenOf({ alg: 'none' }, {}, '')}` }
    const statuses = new Set<number>()
    for (let i = 0; i < 61; i++) statuses.add((await app.send('GET', '/v1/models', { headers })).status)
    expect([...statuses]).toEqual([401, 429])
    expect((await app.send('GET', '/v1/models', { headers: await app.bearer() })).status).toBe(200)
  })

  test('of an issuer that cannot be reached is 503, without a read of the table', async () => {
    const app = await createWorld()
    app.issuer.isDown = true
    const { status, body, headers } = await app.send('GET', '/v1/models', { headers: await app.bearer() })
    expect(status).toBe(503)
    expect(body).toMatchObject({ error: { message: expect.stringContaining('token issuer corp') } })
    expect(headers.get('retry-after')).toBe('1')
    expect(readsOf(app)).toBe(0)
  })
})

describe('where no issuer is configured', () => {
  test('a token is a key, and too long for one is no key', async () => {
    const issuer = await startTokenIssuer([key])
    const app = createTestApp()
    const token = await issuer.sign(key)
    await app.send('GET', '/v1/models', { headers: { authorization: `Bearer ${token}` } })
    expect(app.store.calls.get('apiKey')).toBe(1)
    const long = await issuer.sign(key, { padding: 'x'.repeat(600) })
    const { body } = await app.send('GET', '/v1/models', { headers: { authorization: `Bearer ${long}` } })
    expect(body).toMatchObject({ message: expect.stringMatching(/^No API key provided/) })
    expect(issuer.requests).toEqual([])
  })
})

describe('an administrator', () => {
  test.each([
    ['POST', '/api/entities', { entity_id: 'jwt:corp:alice', name: 'Alice' }, 'entity_id'],
    ['POST', '/api/entities', { entity_id: 'jwt:', name: 'Alice' }, 'entity_id'],
    [
      'POST',
      '/api/entities',
      { entity_id: 'child', name: 'Child', parent_id: 'jwt:corp:alice' },
      'parent_id',
    ],
    ['PATCH', '/api/entities/jwt:corp:alice', { disabled: true }, 'entity_id'],
    ['DELETE', '/api/entities/jwt:corp:alice', undefined, 'entity_id'],
    ['POST', '/api/entities/jwt:corp:alice/keys', {}, 'entity_id'],
    ['POST', '/api/ratelimit/config/jwt:corp:alice', { rpm_limit: 5, enabled: false }, 'id'],
  ])('cannot write the entity of a token: %s %s', async (method, path, body, field) => {
    const app = await createWorld()
    const response = await app.send(method, path, { ...(body && { body }) })
    expect(response.body).toEqual({
      error: 'invalid_request',
      field,
      message: `${field} must not begin with jwt:, which is reserved for identities of tokens`,
    })
    expect(response.status).toBe(400)
    expect((await app.send('GET', '/api/audit')).body).toMatchObject({ items: [] })
  })

  test('cannot create such an entity where no issuer is configured either', async () => {
    const { status } = await createTestApp().send('POST', '/api/entities', {
      body: { entity_id: 'jwt:corp:alice', name: 'Alice' },
    })
    expect(status).toBe(400)
  })

  test('sets its limits, which override those of its role', async () => {
    const app = await createWorld()
    await setRoles(app)
    const put = await app.send('PUT', '/api/limits/jwt:corp:alice', {
      body: { limits: [{ name: 'rpm', capacity: 5, refill_rate: 1 }] },
    })
    expect(put.status).toBe(200)
    expect(rpmIn((await check(app, await app.bearer({ role: 'admin' }))).body)).toMatchObject({
      ...{ capacity: 5, available: 4, source: 'entity:_default_' },
    })
    await app.send('PUT', '/api/limits/jwt:corp:alice', {
      body: { limits: [{ name: 'rpm', capacity: 0, refill_rate: 0 }] },
    })
    expect((await check(app, await app.bearer({ role: 'admin' }))).status).toBe(429)
  })

  test('reads what a token has used by its role, wherever an entity is named', async () => {
    const app = await createWorld()
    await setRoles(app)
    await createTenant(app, 'acme')
    await check(app, await app.bearer({ role: 'admin', tenant: 'acme' }))
    const id = 'jwt:corp:alice'
    const read = async (path: string) => (await app.send('GET', path)).body
    expect(await read(`/api/entities/${id}`)).toMatchObject({
      entity_id: id,
      role: 'admin',
      parent_id: 'acme',
      kind: 'jwt',
    })
    expect(await read(`/api/limits/${id}`)).toMatchObject({
      limits: expect.arrayContaining([
        expect.objectContaining({ name: 'rpm', capacity: 500, source: 'role:admin:_default_' }),
      ]),
    })
    expect(await read(`/api/limits/${id}/explain`)).toMatchObject({ entity_id: id })
    expect(await read(`/api/dashboard/availability/${id}`)).toMatchObject({
      limits: expect.arrayContaining([
        expect.objectContaining({ name: 'rpm', capacity: 500, available: 499 }),
      ]),
    })
    expect(await read(`/api/dashboard/wait-time/${id}?rpm=501`)).toMatchObject({ wait_seconds: null })
    expect(await read(`/api/usage/${id}`)).toEqual({ entity_id: id, points: [] })
    expect(await read(`/api/ratelimit/status/${id}`)).toMatchObject({
      status: { requests: { limit: 500, used: 1, remaining: 499 } },
    })
    expect(await read(`/api/entities/${id}/keys`)).toEqual({ items: [], next_cursor: null })
    expect(await read(`/api/entities/${id}/children`)).toEqual({ entity_id: id, children: [] })
    const found = { entities: [expect.objectContaining({ entity_id: id, parent_id: 'acme' })] }
    expect(await read(`/api/dashboard/entities?q=${id}`)).toMatchObject(found)
    expect(await read(`/api/entities?q=${id}`)).toMatchObject({
      items: [{ entity_id: id }],
      next_cursor: null,
    })
    expect(await read('/api/entities?q=jwt:corp')).toMatchObject({ items: [] })
    const reset = await app.send('POST', `/api/limits/${id}/reset`, { body: {} })
    expect(rpmOf(reset.body)).toMatchObject({ available: 500 })
  })

  test('acts for the entity of a token', async () => {
    const app = await createWorld()
    const { body } = await check(app, { ...ADMIN, 'x-zael-entity': 'jwt:corp:alice' })
    expect(rpmIn(body)).toMatchObject({ available: 59 })
    const unknown = await check(app, { ...ADMIN, 'x-zael-entity': 'jwt:other:alice' })
    expect(unknown.status).toBe(404)
  })

  const rpmOf = (body: unknown) =>
    (body as { limits: { name: string; available: number }[] }).limits.find(({ name }) => name === 'rpm')
})
