import { describe, expect, test } from 'vitest'
import type { AuthorizerOptions } from '../../../src/contract/authorizer.ts'
import { createReservationService } from '../../../src/core/admin/reservations.ts'
import type { ReservationStore } from '../../../src/core/charge/reservation-store.ts'
import { StoreUnavailable } from '../../../src/core/model/errors.ts'
import type { MetricName } from '../../../src/core/ports/platform.ts'
import { createAuthenticator } from '../../../src/http/auth/authenticator.ts'
import { createAuthorize } from '../../../src/http/authorizer/authorize.ts'
import { createModelLookup } from '../../../src/http/models/model-lookup.ts'
import { createMemoryBucketStore } from '../../../src/store/memory/bucket-store.ts'
import { createIssuerKey, startTokenIssuer } from '../../support/token-issuer.ts'
import { BOB, createCheckingApp } from '../limit-checks/checking-app.ts'
import { createTestApp, type TestAppOptions } from '../test-app.ts'
import { type RequestOptions, requestEvent } from './request-event.ts'

interface World {
  readonly options?: AuthorizerOptions
  readonly table?: TestAppOptions['table']
  readonly reservations?: Partial<ReservationStore>
  readonly limiter?: TestAppOptions['limiter']
  readonly issuers?: TestAppOptions['issuers']
}

/** An authorizer on the table of a zael, whose API `checking` configures it. */
const createWorld = async ({ options = {}, table, reservations, limiter, issuers }: World = {}) => {
  const checking = await createCheckingApp({ ...(table && { table }) })
  // another process on the same table
  const node = createTestApp({
    table: checking.table,
    ...(limiter && { limiter }),
    ...(issuers && { issuers }),
  })
  const counted: MetricName[] = []
  const { deps } = node
  const authorize = createAuthorize({
    options,
    clock: node.clock,
    metrics: { count: (name) => counted.push(name) },
    decider: deps.limiter,
    models: createModelLookup(deps),
    authenticator: createAuthenticator({
      ...deps,
      settings: { ...deps.settings, adminToken: null, viewerToken: null },
    }),
    reservationService: createReservationService({
      ...deps,
      reservations: { ...deps.reservations, ...reservations },
    }),
  })
  const call = (headers: RequestOptions['headers'] = BOB, more: RequestOptions = {}) =>
    authorize(requestEvent({ ...more, headers }))
  const left = async (name: string, resource?: string) => {
    await deps.limiter.flush({ all: true })
    return checking.left(name, resource)
  }
  return { ...checking, node, counted, authorize, call, left }
}

const effectOf = ({
  policyDocument: { Statement },
}: Awaited<ReturnType<Awaited<ReturnType<typeof createWorld>>['call']>>) => Statement[0].Effect

/** Uses up what key-bob has. */
const exhausted = async (world: World = {}) => {
  const created = await createWorld(world)
  for (let i = 0; i < 10; i++) expect(effectOf(await created.call())).toBe('Allow')
  return created
}

describe('an allowed request', () => {
  test('may call its method, and carries who it is and what is left', async () => {
    const { call, left } = await createWorld()
    expect(await call()).toEqual({
      principalId: 'key-bob',
      policyDocument: {
        Version: '2012-10-17',
        Statement: [
          {
            Action: 'execute-api:Invoke',
            Effect: 'Allow',
            Resource: 'arn:aws:execute-api:eu-central-1:123456789012:a1b2c3d4e5/prod/GET/orders/7',
          },
        ],
      },
      context: {
        entityId: 'key-bob',
        rateLimit: '"rpm";r=9, "tpm";r=1000',
        rateLimitPolicy: '"rpm";q=10;w=36000, "tpm";q=1000;w=3600000;zael-meter="tokens"',
      },
    })
    expect(await left('rpm')).toBe(9)
  })

  test('is charged the cost of the authorizer on its resource', async () => {
    const { call, left } = await createWorld({
      options: { cost: { requests: 2, tokens: 50 }, resource: 'gpt-4' },
    })
    await call()
    expect([await left('rpm', 'gpt-4'), await left('tpm', 'gpt-4'), await left('rpm')]).toEqual([8, 950, 10])
  })

  test.each([
    ['POST', '/orders/{id}', 5],
    ['GET', '/orders/{id}', 9],
    ['DELETE', '/reports', 3],
    ['GET', '/free', 10],
    ['GET', '/constructor', 9],
  ])('%s %s leaves %i of 10 by the cost of its route', async (method, resource, rest) => {
    const route_costs = {
      'POST /orders/{id}': { requests: 5 },
      'ANY /reports': { requests: 7 },
      'GET /free': { requests: 0 },
    }
    const { call, left } = await createWorld({ options: { route_costs } })
    expect(effectOf(await call(BOB, { method, resource }))).toBe('Allow')
    expect(await left('rpm')).toBe(rest)
  })

  test('pays by the route of API Gateway, whatever path the client sends', async () => {
    const { call, left } = await createWorld({ options: { route_costs: { 'GET /free': { requests: 0 } } } })
    await call(BOB, { path: '/free', resource: '/{proxy+}' })
    expect(await left('rpm')).toBe(9)
  })

  test('is divided by the user and the session that it names', async () => {
    const { call, send } = await createWorld()
    await send('PUT', '/api/policies/USER/*', {
      body: { limits: [{ name: 'rph', capacity: 1, refill_rate: 0.001 }] },
    })
    const as = async (user: string) => effectOf(await call({ ...BOB, 'X-User-Id': user }))
    expect([await as('ann'), await as('ben'), await as('ann')]).toEqual(['Allow', 'Allow', 'Deny'])
  })

  test.each([
    ['a policy variable', '/orders/\u0024{aws:username}/x', 'orders/*'],
    ['a great length', `/${'x'.repeat(9000)}`, 'x*'],
    ['a wildcard', '/orders/*', 'orders/*'],
  ])('of a path with %s has a policy that matches it and is short', async (_, path, end) => {
    const { call } = await createWorld()
    const { Resource } = (await call(BOB, { path })).policyDocument.Statement[0]
    expect(Resource.endsWith(end)).toBe(true)
    expect(Resource.length).toBeLessThan(2100)
    const arn = requestEvent({ path }).methodArn
    expect(arn.startsWith(Resource.replace(/\*$/, ''))).toBe(true)
  })
})

describe('a denied request', () => {
  test('carries the fields of a 429', async () => {
    const { call } = await exhausted()
    const denied = await call()
    expect(effectOf(denied)).toBe('Deny')
    expect(denied.context).toEqual({
      entityId: 'key-bob',
      rateLimit: '"rpm";r=0;t=3600, "tpm";r=1000',
      rateLimitPolicy: '"rpm";q=10;w=36000, "tpm";q=1000;w=3600000;zael-meter="tokens"',
      retryAfter: '3600',
      retryAfterMs: '3600000',
      shouldRetry: 'false',
      message: 'Rate limit exceeded for limits: rpm',
      retryAfterSeconds: '3600',
      limitName: 'rpm',
      limitEntity: 'key-bob',
      limitResource: '_default_',
      available: '0',
      requested: '1',
      capacity: '10',
    })
  })

  test('that can never pass has no wait', async () => {
    const { call } = await createWorld({ options: { cost: { requests: 11 } } })
    const { context } = await call()
    expect(context).toMatchObject({ retryAfterSeconds: 'null', shouldRetry: 'false', requested: '11' })
    expect(context).not.toHaveProperty('retryAfter')
  })

  test('by a policy names it, and charges nothing', async () => {
    const { call, send, left } = await createWorld()
    const limits = [{ name: 'rph', algorithm: 'sliding_window', limit: 1, window_seconds: 3600 }]
    await send('PUT', '/api/policies/GLOBAL/*', { body: { limits } })
    await call()
    expect((await call()).context).toMatchObject({ limitEntity: 'POLICY:GLOBAL:*', limitName: 'rph' })
    expect(await left('rpm')).toBe(9)
  })

  test('is less than the 8 KB that API Gateway accepts, however many limits it exceeds', async () => {
    const { call, send } = await createWorld()
    const limits = (prefix: string) =>
      Array.from({ length: 8 }, (_, index) => ({
        name: `${prefix}_${index}`.padEnd(32, 'x'),
        ...{ capacity: 1, refill_rate: 0.001 },
      }))
    for (const policy of ['GLOBAL/*', 'USER/*', 'SESSION/*', 'API_KEY/key-bob']) {
      const body = { limits: limits(policy.slice(0, 3).toLowerCase()) }
      expect((await send('PUT', `/api/policies/${policy}`, { body })).status).toBeLessThan(300)
    }
    await send('PUT', '/api/limits/key-bob', { body: { limits: limits('own') } })
    const headers = { ...BOB, 'x-user-id': 'u', 'x-session-id': 's' }
    const path = `/orders/${'x'.repeat(4000)}`
    expect(effectOf(await call(headers, { path }))).toBe('Allow')
    const denied = await call(headers, { path })
    expect(effectOf(denied)).toBe('Deny')
    expect(JSON.stringify(denied).length).toBeLessThan(8000)
    expect(denied.context).toMatchObject({
      retryAfter: '1000',
      message: expect.stringMatching(/x and others$/),
    })
  })

  test('has no text that JSON escapes, except in headers', async () => {
    const { call, send } = await createWorld({ options: { resource: 'org/a.model:1@x' } })
    const hostile = { ...BOB, 'x-user-id': '"}\\\u0000', 'x-session-id': '`\u0024{x}`' }
    const limits = [{ name: 'rph', capacity: 1, refill_rate: 0.001 }]
    await send('PUT', '/api/policies/USER/*', { body: { limits } })
    await call(hostile)
    const { rateLimit: _, rateLimitPolicy: __, ...inserted } = (await call(hostile)).context
    expect(Object.keys(inserted).length).toBeGreaterThan(8)
    for (const value of Object.values(inserted)) expect(JSON.stringify(value)).toBe(`"${value}"`)
  })
})

describe('a request without valid credentials', () => {
  test.each([
    ['no key', {}],
    ['an unknown key', { 'X-API-Key': 'another-secret-123' }],
    ['two keys that differ', { ...BOB, Authorization: 'Bearer another-secret-123' }],
    ['two keys in one header', { 'X-API-Key': ['another-secret-123', 'the-secret-of-key-bob'] }],
    [
      'two keys in headers of one name',
      { 'x-api-key': 'another-secret-123', 'X-API-KEY': 'the-secret-of-key-bob' },
    ],
    ['an endless key', { 'X-API-Key': 'x'.repeat(5000) }],
    ['the admin token', { Authorization: 'Bearer the-admin-token' }],
    ['the viewer token', { Authorization: 'Bearer the-viewer-token' }],
  ])('is rejected: %s', async (_, headers) => {
    const { call, counted, left } = await createWorld()
    await expect(call(headers)).rejects.toMatchObject({ code: 'unauthorized' })
    expect(counted).toEqual(['authentication_failures'])
    expect(await left('rpm')).toBe(10)
  })

  test.each([
    ['X-API-Key', BOB],
    ['x-api-key in any case', { 'x-ApI-kEy': 'the-secret-of-key-bob' }],
    ['api-key', { 'api-key': 'the-secret-of-key-bob' }],
    ['Authorization', { authorization: 'Bearer the-secret-of-key-bob' }],
  ])('is accepted with a key in %s', async (_, headers) => {
    expect(effectOf(await (await createWorld()).call(headers))).toBe('Allow')
  })

  test('is read from single headers where the event has no lists', async () => {
    const { authorize } = await createWorld()
    const { multiValueHeaders: _, ...event } = requestEvent({ headers: BOB })
    expect(effectOf(await authorize(event))).toBe('Allow')
    await expect(authorize({ ...event, headers: null })).rejects.toMatchObject({ code: 'unauthorized' })
  })

  test.each(['key-bob', 'proj-demo'])('is rejected if %s is disabled', async (id) => {
    const { call, send } = await createWorld()
    await send('PATCH', `/api/entities/${id}`, { body: { disabled: true } })
    await expect(call()).rejects.toMatchObject({ code: 'unauthorized' })
  })

  test('is rejected if the caller may not use the model', async () => {
    const { call, send, left } = await createWorld({ options: { resource: 'gpt-4' } })
    await send('PATCH', '/api/entities/key-bob', { body: { models: ['tiny-model'] } })
    await expect(call()).rejects.toMatchObject({ code: 'unauthorized' })
    expect(await left('rpm', 'gpt-4')).toBe(10)
  })

  test('is allowed on a resource that is no model, whatever models the caller may use', async () => {
    const { call, send } = await createWorld({ options: { resource: 'orders' } })
    await send('PATCH', '/api/entities/key-bob', { body: { models: ['tiny-model'] } })
    expect(effectOf(await call())).toBe('Allow')
  })

  test('reads a key once while it is cached', async () => {
    const { call, store } = await createWorld()
    for (let i = 0; i < 3; i++) await call()
    expect(store.calls.get('apiKey')).toBe(1)
  })
})

describe('a request with a token', () => {
  const withIssuer = async () => {
    const key = await createIssuerKey('key-1')
    const issuer = await startTokenIssuer([key])
    const claimed = { roleClaim: 'role', userClaim: 'email' } as const
    const world = await createWorld({ issuers: [issuer.settings(claimed)], options: { settles: true } })
    const limits = [{ name: 'rpm', capacity: 2, refill_rate: 0.001 }]
    await world.send('PUT', '/api/defaults?role=trial', { body: { limits } })
    const as = async (claims: object, more: object = {}) =>
      world.call({ Authorization: `Bearer ${await issuer.sign(key, claims)}`, ...more })
    return { ...world, as }
  }

  test('is charged to the entity that it names, by the limits of its role', async () => {
    const { as } = await withIssuer()
    const first = await as({ role: 'trial' })
    expect([first.principalId, first.context]).toMatchObject([
      'jwt:corp:alice',
      { rateLimit: expect.stringContaining('"rpm";r=1'), reservationId: expect.any(String) },
    ])
    expect([effectOf(await as({ role: 'trial' })), effectOf(await as({ role: 'trial' }))]).toEqual([
      'Allow',
      'Deny',
    ])
  })

  test('belongs to the user that the token names, whatever the header says', async () => {
    const { as, send } = await withIssuer()
    const limits = [{ name: 'rph', capacity: 1, refill_rate: 0.001 }]
    await send('PUT', '/api/policies/USER/*', { body: { limits } })
    const email = { email: 'alice@corp.example' }
    expect(effectOf(await as(email))).toBe('Allow')
    expect(effectOf(await as(email, { 'X-User-Id': 'somebody-else' }))).toBe('Deny')
  })

  test('is rejected if the token is not valid, without a read of the table', async () => {
    const { as, node, counted } = await withIssuer()
    await expect(as({ aud: 'another' })).rejects.toMatchObject({ code: 'unauthorized' })
    expect([counted, node.store.calls.get('apiKey')]).toEqual([['authentication_failures'], undefined])
  })
})

describe('a reservation', () => {
  const settles = { settles: true, cost: { requests: 1, tokens: 400 } } as const

  test('is stored for the function behind, and settled by its owner', async () => {
    const { call, end, left } = await createWorld({ options: settles })
    const { context } = await call()
    expect(context).toMatchObject({
      entityId: 'key-bob',
      reservationId: expect.stringMatching(/^[\w-]{20,}$/),
    })
    expect(await left('tpm')).toBe(600)
    const reservation_id = 'reservationId' in context ? context.reservationId : undefined
    expect((await end('settle', { reservation_id, cost: { tokens: 100 } })).body).toMatchObject({
      settled: true,
    })
    expect(await left('tpm')).toBe(900)
  })

  test('is not stored if nobody settles, if it costs nothing, or if it is denied', async () => {
    const stored: string[] = []
    const reservations: Partial<ReservationStore> = { put: async ({ id }) => void stored.push(id) }
    const without = await createWorld({ reservations })
    expect((await without.call()).context).not.toHaveProperty('reservationId')
    const free = await createWorld({ reservations, options: { ...settles, cost: { requests: 0 } } })
    expect((await free.call()).context).not.toHaveProperty('reservationId')
    const large = await createWorld({ reservations, options: { ...settles, cost: { tokens: 1001 } } })
    expect((await large.call()).context).not.toHaveProperty('reservationId')
    expect(stored).toEqual([])
  })

  test('lives as long as the option says, and holds a slot of concurrency limits until then', async () => {
    const { call, send, clock } = await createWorld({ options: { settles: true, expires_in_seconds: 30 } })
    await send('PUT', '/api/limits/key-bob', {
      body: { limits: [{ name: 'slots', algorithm: 'concurrency', limit: 1 }] },
    })
    expect([effectOf(await call()), effectOf(await call())]).toEqual(['Allow', 'Deny'])
    clock.advance(31_000_000_000n)
    expect(effectOf(await call())).toBe('Allow')
  })

  test('that cannot be stored is refunded, and the request is not allowed', async () => {
    const unavailable = new StoreUnavailable('away', { mayHaveApplied: false })
    const put = () => Promise.reject(unavailable)
    const { call, left } = await createWorld({ options: settles, reservations: { put } })
    await expect(call()).rejects.toBe(unavailable)
    expect(await left('tpm')).toBe(1000)
  })
})

describe('while the table is unavailable', () => {
  const away = () => Promise.reject(new StoreUnavailable('away', { mayHaveApplied: false }))
  const buckets = { ...createMemoryBucketStore(), read: away, write: away }

  test.each([false, true])('a limit that allows is degraded and allowed (settles: %s)', async (settles) => {
    const { call } = await createWorld({
      options: { settles },
      reservations: { put: away },
      limiter: { onUnavailable: 'allow' },
      table: { buckets },
    })
    const allowed = await call()
    expect(effectOf(allowed)).toBe('Allow')
    expect(allowed.context).toEqual({ entityId: 'key-bob', degraded: 'true' })
  })

  test('a limit that denies is an error, not a denial', async () => {
    const { call } = await createWorld({ table: { buckets } })
    await expect(call()).rejects.toBeInstanceOf(StoreUnavailable)
  })

  test('a key that cannot be looked up is an error, not bad credentials', async () => {
    const { call, store, counted } = await createWorld({ limiter: { onUnavailable: 'allow' } })
    store.isUnavailable = true
    await expect(call()).rejects.toBeInstanceOf(StoreUnavailable)
    expect(counted).toEqual([])
  })
})
