import { describe, expect, test } from 'vitest'
import { byClientIp, type KeyFunction, silentLogger } from '../../../src/library/index.ts'
import { eventFacts, recordFacts } from '../../../src/library/lambda/event-facts.ts'
import {
  byApiKeyId,
  byAuthorizer,
  byClaim,
  byMessageGroup,
  bySourceIp,
  RejectedError,
  withRateLimit,
} from '../../../src/library/lambda.ts'
import { createReportsLog } from '../middleware/reports-log.ts'
import { untyped } from '../middleware/test-app.ts'
import {
  albEvent,
  appSyncEvent,
  functionUrlEvent,
  httpEvent,
  multiValueAlbEvent,
  restEvent,
  sqsRecord,
} from './events.ts'

const factsOf = (event: unknown) => eventFacts(event, silentLogger)

const keyOf = (key: KeyFunction, event: unknown) => key(factsOf(event))

describe('the facts of an event', () => {
  test.each([
    ['a REST API', restEvent(), ['POST', '/orders', '/orders', '203.0.113.7']],
    ['an HTTP API', httpEvent(), ['POST', '/prod/orders', '/orders', '203.0.113.7']],
    ['a function URL', functionUrlEvent(), ['POST', '/prod/orders', '/prod/orders', '203.0.113.7']],
    ['a load balancer', albEvent(), ['POST', '/orders', '/orders', '203.0.113.7']],
    ['a load balancer with all values', multiValueAlbEvent(), ['POST', '/orders', '/orders', '203.0.113.7']],
    [
      'a resolver',
      appSyncEvent(),
      ['MUTATION', '/Mutation/createOrder', '/Mutation/createOrder', '203.0.113.7'],
    ],
    [
      'a batch of a resolver',
      [appSyncEvent()],
      ['MUTATION', '/Mutation/createOrder', '/Mutation/createOrder', '203.0.113.7'],
    ],
    [
      'a WebSocket API',
      {
        requestContext: {
          routeKey: 'sendmessage',
          eventType: 'MESSAGE',
          connectionId: 'x',
          identity: { sourceIp: '::1' },
        },
      },
      ['MESSAGE', '/sendmessage', '/sendmessage', '::1'],
    ],
    ['a direct invocation', { order: 1 }, ['', '/', '/', 'unknown']],
  ])('of %s', (_, event, expected) => {
    const { method, path, mountedPath, connection } = factsOf(event)
    expect([method, path, mountedPath, connection]).toEqual(expected)
  })

  test('contain headers in any case, all values of a name, and the cookies', () => {
    expect(factsOf(restEvent()).header('x-api-key')).toBe('a-key-of-the-client')
    expect(factsOf(multiValueAlbEvent()).header('x-forwarded-for')).toBe('1.1.1.1, 203.0.113.7')
    expect(factsOf(httpEvent()).header('cookie')).toBe('cookie1=a; cookie2=b')
    expect(factsOf(appSyncEvent()).header('x-api-key')).toBe('da2-xmpl')
    expect(factsOf({ headers: { 'X-A': '1', 'x-a': '2' }, requestContext: {} }).header('x-a')).toBe('1, 2')
  })

  test.each([
    ['headers', { headers: { __proto__: null, constructor: 'x' }, requestContext: {} }],
    ['no headers', { requestContext: {} }],
  ])('contain only own %s', (_, event) => {
    for (const name of ['__proto__', 'toString', 'hasownproperty'])
      expect(factsOf(event).header(name)).toBeUndefined()
  })

  test('of a message are its attributes and its queue', () => {
    const facts = recordFacts(sqsRecord('a', { tenant: 'acme' }), silentLogger)
    expect([facts.path, facts.header('tenant'), facts.header('other')]).toEqual([
      '/orders',
      'acme',
      undefined,
    ])
  })
})

describe('a malformed event', () => {
  const WRONG = [
    undefined,
    null,
    7,
    'text',
    [],
    [[]],
    true,
    { requestContext: null },
    { requestContext: [] },
    { headers: 7 },
  ]
  const PARTS = [
    {
      requestContext: { http: 'x', identity: 7, authorizer: 'claims', elb: {} },
      headers: { a: { b: 1 }, c: null },
      multiValueHeaders: { d: 'x', e: [1, null] },
      cookies: [1],
    },
    {
      requestContext: {
        authorizer: { jwt: { claims: [] }, claims: null, lambda: 7 },
        identity: { sourceIp: 7, apiKeyId: {} },
      },
      path: 7,
      rawPath: {},
      httpMethod: [],
    },
    {
      info: { fieldName: 'f', parentTypeName: 7 },
      identity: { sourceIp: 'x', claims: 7, resolverContext: [] },
      request: [],
    },
    { Records: [{ eventSource: 7 }] },
  ]

  test.each([...WRONG, ...PARTS].map((event) => [event]))('%j has facts, and no key', (event) => {
    const { method, path, mountedPath, connection, header } = factsOf(event)
    expect([method, path, mountedPath, connection].map((fact) => typeof fact)).toEqual(
      Array(4).fill('string'),
    )
    expect(header('authorization')).toBeUndefined()
    for (const key of [byClaim('sub'), byAuthorizer('tenantId'), byApiKeyId(), byMessageGroup()])
      expect(keyOf(key, event)).toBeUndefined()
  })

  test.each([...WRONG, ...PARTS].map((event) => [event]))(
    '%j is limited, and not an exception',
    async (event) => {
      const options = { limits: [{ name: 'rps', capacity: 1, refill_rate: 0.001 }], logger: silentLogger }
      const handler = withRateLimit<unknown, unknown>(options, async () => ({ statusCode: 200 }))
      expect(await handler(event, {})).toMatchObject({ statusCode: 200 })
      const second = await handler(event, {}).catch((error: unknown) => error)
      const isDenied =
        second instanceof RejectedError || JSON.stringify(second).startsWith('{"statusCode":429,')
      expect(isDenied).toBe(true)
    },
  )
})

describe('a key function', () => {
  const authorized = (authorizer: unknown) => ({ requestContext: { authorizer } })

  test.each([
    ['a Cognito authorizer', authorized({ claims: { sub: 'u' } })],
    ['a JWT authorizer', authorized({ jwt: { claims: { sub: 'u' }, scopes: [] } })],
    ['AppSync', appSyncEvent('u')],
    ['a batch of AppSync', [appSyncEvent('u')]],
  ])('reads a claim of %s', (_, event) => {
    expect(keyOf(byClaim('sub'), event)).toBe('u')
    expect(keyOf(byClaim('nothing'), event)).toBeUndefined()
  })

  test.each([[''], [null], [true], [['u']], [{ a: 1 }]])('reads no claim of value %j', (sub) => {
    expect(keyOf(byClaim('sub'), authorized({ claims: { sub } }))).toBeUndefined()
  })

  test('reads a claim that is a number', () => {
    expect(keyOf(byClaim('tenant'), authorized({ jwt: { claims: { tenant: 42 } } }))).toBe(42)
  })

  test.each(['__proto__', 'constructor', 'toString'])('reads no claim %s of an object', (name) => {
    expect(keyOf(byClaim(name), authorized({ claims: {} }))).toBeUndefined()
  })

  test.each([
    ['a REST API', authorized({ principalId: 'p', tenantId: 't' })],
    ['an HTTP API', authorized({ lambda: { tenantId: 't' } })],
    ['AppSync', { info: { fieldName: 'f' }, identity: { resolverContext: { tenantId: 't' } } }],
  ])('reads what a Lambda authorizer of %s returned', (_, event) => {
    expect(keyOf(byAuthorizer('tenantId'), event)).toBe('t')
  })

  test('ignores claims and contexts that a client writes into its body or headers', () => {
    const forged = { claims: { sub: 'admin' }, authorizer: { claims: { sub: 'admin' } }, identity: 'x' }
    const event = { ...authorized(null), headers: forged, body: JSON.stringify(forged) }
    expect(keyOf(byClaim('sub'), event)).toBeUndefined()
    expect(keyOf(byAuthorizer('sub'), event)).toBeUndefined()
  })

  test('reads the id of an API key, and the group of a message', () => {
    expect(keyOf(byApiKeyId(), restEvent())).toBe('k3y1d')
    expect(keyOf(byApiKeyId(), httpEvent())).toBeUndefined()
    expect(byMessageGroup()(recordFacts(sqsRecord('a', { group: 'g' }), silentLogger))).toBe('g')
  })

  test('groups IPv6 addresses, and trusts no header', () => {
    const event = httpEvent({}, { sourceIp: '2001:db8:1:2:3:4:5:6' })
    expect(keyOf(bySourceIp(), event)).toBe('2001:db8:1:2')
  })

  test('does not trust what a client of AppSync sends as X-Forwarded-For', () => {
    expect(keyOf(bySourceIp(), appSyncEvent('u', ['1.1.1.1', '203.0.113.7']))).toBe('203.0.113.7')
  })

  test('finds the client behind CloudFront, whose address API Gateway appends', () => {
    const event = httpEvent(
      { headers: { 'x-forwarded-for': '1.1.1.1, 203.0.113.7, 130.176.1.1' } },
      { sourceIp: '130.176.1.1' },
    )
    expect(keyOf(byClientIp({ trustedProxies: 2 }), event)).toBe('203.0.113.7')
    expect(keyOf(byClientIp({ trustedProxies: ['130.176.0.0/16'] }), event)).toBe('203.0.113.7')
  })

  test('warns about an ignored header only if it names another address', () => {
    const { logged, options } = createReportsLog()
    const key = byClientIp()
    const from = (forwardedFor: string) =>
      key(eventFacts(httpEvent({ headers: { 'x-forwarded-for': forwardedFor } }), options.logger))
    from('203.0.113.7')
    expect(logged).toEqual([])
    from('1.1.1.1, 203.0.113.7')
    expect(logged).toEqual(['x-forwarded-for ignored'])
  })

  test.each([[undefined], [''], [7]])('requires a name, not %j', (name) => {
    expect(() => byClaim(untyped(name))).toThrow(/byClaim\(\) must get the name of a claim/)
    expect(() => byAuthorizer(untyped(name))).toThrow(/byAuthorizer\(\) must get the name/)
  })
})
