import { Hono } from 'hono'
import { describe, expect, test } from 'vitest'
import { clientIp } from '../../../src/http/auth/guards.ts'
import { SECOND } from '../../core/test-clock.ts'
import { ADMIN, createTestApp, type TestApp, VIEWER } from '../test-app.ts'

const SECRET = 'a-secret-of-key-1'

/** An organization with a key below it. */
const withKey = async (options: Parameters<typeof createTestApp>[0] = {}): Promise<TestApp> => {
  const app = createTestApp(options)
  await app.send('POST', '/api/entities', { body: { entity_id: 'org', name: 'Org' } })
  await app.send('POST', '/api/entities', { body: { entity_id: 'key-1', name: 'Key', parent_id: 'org' } })
  await app.send('POST', '/api/entities/key-1/keys', { body: { secret: SECRET } })
  app.clock.advance(1n)
  return app
}

const KEY = { 'x-api-key': SECRET }

const BEARER = { authorization: `Bearer ${SECRET}` }

const statusOf = async (app: TestApp, headers: Record<string, string>, path = '/v1/models', method = 'GET') =>
  (await app.send(method, path, { headers })).status

describe('a caller', () => {
  test.each([
    ['X-API-Key', KEY],
    ['Authorization: Bearer', BEARER],
    ['api-key', { 'api-key': SECRET }],
    ['the same key in every header', { ...BEARER, ...KEY, 'api-key': SECRET }],
    ['a key beside another scheme', { ...KEY, authorization: 'Basic YTpi' }],
    ['the scheme in lower case', { authorization: `bearer ${SECRET}` }],
  ])('is authenticated by %s', async (_, headers) => {
    expect(await statusOf(await withKey(), headers)).toBe(200)
  })

  test.each([
    ['no key', {}],
    ['an unknown key', { 'x-api-key': 'another-secret-123' }],
    ['another scheme', { authorization: `Basic ${SECRET}` }],
    ['two keys that differ', { ...KEY, 'api-key': 'another-secret-123' }],
    ['a bearer that differs', { ...KEY, authorization: 'Bearer another-secret-123' }],
    ['an admin token beside a key', { ...KEY, ...ADMIN }],
    ['an endless key', { 'x-api-key': 'x'.repeat(5000) }],
  ])('gets 401 for %s', async (_, headers) => {
    const { status, body, headers: received } = await (await withKey()).send('GET', '/v1/models', { headers })
    expect(status).toBe(401)
    expect(body).toMatchObject({
      error: { type: 'invalid_request_error', code: 'invalid_api_key', param: null },
    })
    expect(received.get('x-request-id')).toMatch(/^req_/)
  })

  test.each([
    [{}, /^No API key provided/],
    [{ 'x-api-key': 'another-secret-123' }, /^Incorrect API key provided/],
    [{ 'api-key': 'another-secret-123' }, /^Incorrect API key provided/],
    [
      { ...KEY, 'api-key': 'another-secret-123' },
      /^Authorization, X-API-Key and api-key contain different keys/,
    ],
  ])('that sends %j gets the reason, and no part of a key', async (headers, message) => {
    const { body } = await (await withKey()).send('GET', '/v1/models', { headers })
    expect(body).toMatchObject({ message: expect.stringMatching(message) })
    expect(JSON.stringify(body)).not.toMatch(/secret/)
  })

  test.each([{}, { authorization: 'Bearer wrong' }, { 'x-api-key': 'the-admin-token' }])(
    'that sends %j to an admin route learns that a token is required',
    async (headers) => {
      const app = await withKey()
      for (const path of ['/api/entities', '/rate-limit/check', '/api/nothing']) {
        const { status, body } = await app.send('GET', path, { headers })
        expect(status).toBe(401)
        expect(body).toMatchObject({
          error: 'unauthorized',
          message: 'The admin or viewer token is required: Authorization: Bearer <token>',
        })
      }
    },
  )

  test('gets 403 on an admin route, for reads as for writes', async () => {
    const app = await withKey()
    expect(await statusOf(app, KEY, '/api/entities')).toBe(403)
    expect(await statusOf(app, KEY, '/api/entities/org', 'DELETE')).toBe(403)
  })

  test.each(['key-1', 'org'])(
    'gets 401 at once when %s is disabled, and passes when it is not',
    async (id) => {
      const app = await withKey()
      expect(await statusOf(app, KEY)).toBe(200)
      await app.send('PATCH', `/api/entities/${id}`, { body: { disabled: true } })
      app.clock.advance(1n)
      expect(await statusOf(app, KEY)).toBe(401)
      await app.send('PATCH', `/api/entities/${id}`, { body: { disabled: false } })
      app.clock.advance(1n)
      expect(await statusOf(app, KEY)).toBe(200)
    },
  )

  test('is disabled with an ancestor even if it does not cascade', async () => {
    const app = await withKey()
    await app.send('PATCH', '/api/entities/key-1', { body: { cascade: false } })
    await app.send('PATCH', '/api/entities/org', { body: { disabled: true } })
    app.clock.advance(1n)
    expect(await statusOf(app, KEY)).toBe(401)
    expect(await statusOf(app, { ...ADMIN, 'x-zael-entity': 'key-1' })).toBe(401)
  })

  test.each([
    [null, null, [200, 200, 200]],
    [['a', 'b'], null, [200, 200, 403]],
    [null, ['b', 'c'], [403, 200, 200]],
    [
      ['a', 'b'],
      ['b', 'c'],
      [403, 200, 403],
    ],
    [['a'], ['b'], [403, 403, 403]],
    [null, [], [403, 403, 403]],
  ])('that may use %j below one that may use %j is %j for a, b and c', async (own, above, responses) => {
    const app = await withKey()
    for (const id of ['a', 'b', 'c']) await app.send('PUT', `/api/models/${id}`, { body: {} })
    await app.send('PATCH', '/api/entities/key-1', { body: { models: own } })
    await app.send('PATCH', '/api/entities/org', { body: { models: above } })
    app.clock.advance(1n)
    const found = await Promise.all(['a', 'b', 'c'].map((id) => statusOf(app, KEY, `/v1/models/${id}`)))
    expect(found).toEqual(responses)
    const listed = await app.send('GET', '/v1/models', { headers: KEY })
    expect(JSON.stringify(listed.body).match(/"id"/g)?.length ?? 0).toBe(
      responses.filter((status) => status === 200).length,
    )
  })

  test('gets 401 once its key is revoked, has expired or its entity is deleted', async () => {
    const app = await withKey()
    const expiring = { secret: 'a-secret-that-expires', expires_at: Number(app.clock.now() / SECOND) + 10 }
    await app.send('POST', '/api/entities/key-1/keys', { body: expiring })
    app.clock.advance(1n)
    expect(await statusOf(app, { 'x-api-key': expiring.secret })).toBe(200)
    app.clock.advance(10n * SECOND)
    expect(await statusOf(app, { 'x-api-key': expiring.secret })).toBe(401)
    expect(await statusOf(app, KEY)).toBe(200)
    await app.send('DELETE', '/api/entities/key-1')
    app.clock.advance(1n)
    expect(await statusOf(app, KEY)).toBe(401)
  })

  test('is looked up once in 30 seconds', async () => {
    const app = await withKey()
    const reads = () => app.store.calls.get('apiKey')
    await statusOf(app, KEY)
    await statusOf(app, KEY)
    expect(reads()).toBe(1)
    app.clock.advance(30n * SECOND)
    await statusOf(app, KEY)
    expect(reads()).toBe(2)
  })

  test('gets 503 if its key cannot be looked up', async () => {
    const app = await withKey()
    app.store.isUnavailable = true
    const { status, body } = await app.send('GET', '/v1/models', { headers: KEY })
    expect(status).toBe(503)
    expect(body).toMatchObject({ error: { code: 'unavailable' } })
  })
})

describe('an admin', () => {
  test('is authenticated by its token as Bearer, not as a key', async () => {
    const app = createTestApp()
    expect(await statusOf(app, ADMIN, '/api/entities')).toBe(200)
    expect(await statusOf(app, { 'x-api-key': 'the-admin-token' }, '/api/entities')).toBe(401)
    expect(await statusOf(app, { authorization: 'Bearer the-admin-tokem' }, '/api/entities')).toBe(401)
  })

  test('is authenticated while the store is unavailable', async () => {
    const app = createTestApp()
    app.store.isUnavailable = true
    expect(await statusOf(app, ADMIN, '/health')).toBe(200)
    expect(await statusOf(app, ADMIN, '/api/entities')).toBe(503)
  })

  test('names the entity to act for on /v1', async () => {
    const app = await withKey()
    const chat = { messages: [{ role: 'user', content: 'hi' }] }
    const unnamed = await app.send('POST', '/v1/chat/completions', { body: chat })
    expect(unnamed.status).toBe(400)
    expect(unnamed.body).toMatchObject({ error: { param: 'X-Zael-Entity' } })
    const named = (id: string) => statusOf(app, { ...ADMIN, 'x-zael-entity': id })
    expect(await named('key-1')).toBe(200)
    expect(await named('nobody')).toBe(404)
    expect(await named('../etc')).toBe(400)
  })

  test('may list models without acting for an entity', async () => {
    expect(await statusOf(createTestApp(), ADMIN)).toBe(200)
  })
})

describe('a viewer', () => {
  test('may read and not write', async () => {
    const app = await withKey()
    expect(await statusOf(app, VIEWER, '/api/entities')).toBe(200)
    expect(await statusOf(app, VIEWER, '/api/entities/key-1', 'DELETE')).toBe(403)
    expect(await statusOf(app, { ...VIEWER, 'x-zael-entity': 'key-1' }, '/v1/chat/completions', 'POST')).toBe(
      403,
    )
  })

  test('does not exist without a viewer token', async () => {
    expect(await statusOf(createTestApp({ settings: { viewerToken: null } }), VIEWER, '/api/entities')).toBe(
      401,
    )
  })
})

describe('failed authentications', () => {
  const from = (ip: string) => ({ incoming: { socket: { remoteAddress: ip } } })
  const wrong = { 'x-api-key': 'a-wrong-secret-000' }

  test('get 429 after 60 in a minute, by address, and never block a valid key', async () => {
    const app = await withKey()
    const attempt = async (ip: string, headers: Record<string, string> = wrong) =>
      app.send('GET', '/v1/models', { headers, env: from(ip) })
    for (let i = 0; i < 60; i += 1) expect((await attempt('192.0.2.1')).status).toBe(401)
    const limited = await attempt('192.0.2.1')
    expect(limited.status).toBe(429)
    expect(limited.headers.get('retry-after')).toBe('60')
    expect(limited.headers.get('retry-after-ms')).toBe('60000')
    expect((await attempt('192.0.2.2')).status).toBe(401)
    expect((await attempt('192.0.2.1', KEY)).status).toBe(200)
    expect((await attempt('192.0.2.1', ADMIN)).status).toBe(200)
    app.clock.advance(60n * SECOND)
    expect((await attempt('192.0.2.1')).status).toBe(401)
  })

  test('are denied in the shape of every 429, outside /v1 and inside', async () => {
    const app = await withKey()
    const attempt = (path: string) => app.send('GET', path, { headers: wrong, env: from('192.0.2.1') })
    for (let i = 0; i < 60; i += 1) await attempt('/v1/models')
    app.clock.advance(SECOND / 3n)
    const message = 'Too many failed authentications from this address'
    const rest = { message, retry_after_seconds: 59.667, violations: [] }
    expect((await attempt('/api/entities')).body).toEqual({ error: 'rate_limit_exceeded', ...rest })
    expect((await attempt('/v1/models')).body).toEqual({
      error: { message, type: 'requests', param: null, code: 'rate_limit_exceeded' },
      ...rest,
    })
  })
})

const seen = async (trustedProxies: number, env: object, forwarded?: string): Promise<string> => {
  const app = new Hono().get('/', (c) => c.text(clientIp(c, trustedProxies)))
  const headers = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded }
  return (await app.request('/', { headers }, env)).text()
}

const socket = { incoming: { socket: { remoteAddress: '192.0.2.1' } } }

describe('clientIp', () => {
  test('is the address of the connection, whatever the client claims, if no proxy is trusted', async () => {
    expect(await seen(0, socket, '203.0.113.9')).toBe('192.0.2.1')
  })

  test('is the address seen by the last trusted proxy', async () => {
    expect(await seen(1, socket, '10.9.9.9, 203.0.113.9')).toBe('203.0.113.9')
    expect(await seen(2, socket, '10.9.9.9, 203.0.113.9, 198.51.100.7')).toBe('203.0.113.9')
  })

  test('is the address of the connection if fewer proxies have written than are trusted', async () => {
    expect(await seen(3, socket, '203.0.113.9')).toBe('192.0.2.1')
    expect(await seen(1, socket)).toBe('192.0.2.1')
  })

  test.each([
    ['a REST API', { requestContext: { identity: { sourceIp: '192.0.2.5' } } }],
    ['a function URL', { requestContext: { http: { sourceIp: '192.0.2.5' } } }],
    [
      'an adapter that hands over the event',
      { event: { requestContext: { identity: { sourceIp: '192.0.2.5' } } } },
    ],
  ])('is found behind %s', async (_, env) => {
    expect(await seen(0, env)).toBe('192.0.2.5')
  })

  test('is one address for all clients if the platform provides none', async () => {
    expect(await seen(0, {})).toBe('unknown')
  })
})
