import { Hono } from 'hono'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { rateLimit } from '../../../src/library/hono.ts'
import {
  byApiKey,
  byClientIp,
  byZaelKey,
  type ClientIpOptions,
  costByMethod,
  createRateLimiter,
  firstOf,
  type RequestFacts,
  StoreUnavailable,
  silentLogger,
} from '../../../src/library/index.ts'
import { createTestClock, SECOND } from '../../core/test-clock.ts'
import { createTableWorld } from '../table-world.ts'

const request = (connection: string, headers: Readonly<Record<string, string>> = {}): RequestFacts => ({
  method: 'GET',
  path: '/',
  connection,
  native: undefined,
  header: (name) => headers[name],
})

const ip = (options: ClientIpOptions | undefined, connection: string, forwardedFor?: string) =>
  byClientIp(options)(
    request(connection, forwardedFor === undefined ? {} : { 'x-forwarded-for': forwardedFor }),
  )

describe('byClientIp', () => {
  test('ignores X-Forwarded-For unless proxies are configured', () => {
    expect(ip(undefined, '203.0.113.7', '1.1.1.1')).toBe('203.0.113.7')
  })

  test.each([
    [{ trustedProxies: 1 }, '10.0.0.1', '1.1.1.1, 203.0.113.7', '203.0.113.7'],
    [{ trustedProxies: 2 }, '10.0.0.1', '1.1.1.1, 203.0.113.7, 10.0.0.2', '203.0.113.7'],
    [{ trustedProxies: ['10.0.0.0/8'] }, '10.0.0.1', '1.1.1.1, 203.0.113.7, 10.0.0.2', '203.0.113.7'],
    [{ trustedProxies: ['10.0.0.0/8'] }, '203.0.113.7', '1.1.1.1, 10.0.0.2', '203.0.113.7'],
    [{ trustedProxies: [] }, '203.0.113.7', '1.1.1.1', '203.0.113.7'],
  ])(
    '%j takes X-Forwarded-For from the right, so that what a client invents counts for nothing',
    (options, connection, forwardedFor, expected) => {
      expect(ip(options, connection, forwardedFor)).toBe(expected)
    },
  )

  test('counts all addresses of one /64 as one', () => {
    expect(ip(undefined, '2001:db8:1:2::1')).toBe('2001:db8:1:2')
    expect(ip(undefined, '2001:db8:1:2:ffff::9')).toBe('2001:db8:1:2')
    expect(ip(undefined, '2001:db8:1:3::1')).toBe('2001:db8:1:3')
  })

  test('counts IPv4 that is written as IPv6 as IPv4', () => {
    expect(ip(undefined, '::ffff:203.0.113.7')).toBe('203.0.113.7')
    expect(ip({ trustedProxies: ['10.0.0.0/8'] }, '::ffff:10.0.0.1', '::ffff:cb00:7107')).toBe('203.0.113.7')
  })

  test('ignores the port that some proxies add', () => {
    expect(ip({ trustedProxies: 1 }, '10.0.0.1', '203.0.113.7:50123')).toBe('203.0.113.7')
    expect(ip({ trustedProxies: 1 }, '10.0.0.1', '[2001:db8:1:2::9]:50123')).toBe('2001:db8:1:2')
  })

  test.each([-1, 1.5, Number.NaN])('rejects %j proxies', (trustedProxies) => {
    expect(() => byClientIp({ trustedProxies })).toThrow('trustedProxies must be a whole number')
  })

  test('rejects a proxy that is not an address', () => {
    expect(() => byClientIp({ trustedProxies: ['proxy.internal'] })).toThrow(
      expect.objectContaining({ code: 'invalid_request', field: 'trustedProxies' }),
    )
  })
})

describe('byClientIp with other options', () => {
  test.each([{ trustedProxy: 1 }, { trustedProxies: '10.0.0.0/8' }, { trustedProxies: [5] }, 1])(
    'is an error: %j',
    (options) => {
      expect(() => byClientIp(options as never)).toThrow(expect.objectContaining({ code: 'invalid_request' }))
    },
  )
})

describe('byClientIp in a framework that trusts a proxy', () => {
  const framed = (clientAddress: string | undefined) => ({
    ...request('10.0.0.1', { 'x-forwarded-for': '1.1.1.1, 203.0.113.7' }),
    clientAddress,
  })

  test('uses the client address of the framework', () => {
    expect(byClientIp()(framed('203.0.113.7'))).toBe('203.0.113.7')
    expect(byClientIp()(framed('::ffff:203.0.113.7'))).toBe('203.0.113.7')
  })

  test('uses the address of the connection without one of the framework', () => {
    expect(byClientIp()(framed(undefined))).toBe('10.0.0.1')
  })

  test('uses its own proxies if they are configured', () => {
    expect(byClientIp({ trustedProxies: 0 })(framed('1.1.1.1'))).toBe('10.0.0.1')
    expect(byClientIp({ trustedProxies: ['10.0.0.0/8'] })(framed('1.1.1.1'))).toBe('203.0.113.7')
  })
})

describe('byClientIp warns once', () => {
  const warningsOf = (options: ClientIpOptions | undefined, facts: Partial<RequestFacts>, times = 3) => {
    const warn = vi.fn()
    const key = byClientIp(options)
    for (let i = 0; i < times; i++)
      key({ ...request('10.0.0.1'), logger: { ...silentLogger, warn }, ...facts })
    return warn.mock.calls.map(([message]) => message)
  }
  const forwarded = { header: (name: string) => (name === 'x-forwarded-for' ? '203.0.113.7' : undefined) }

  test.each<[string, ClientIpOptions | undefined, Partial<RequestFacts>]>([
    ['nothing is trusted', undefined, forwarded],
    ['the framework trusts other proxies', undefined, { ...forwarded, clientAddress: '10.0.0.1' }],
    ['other proxies are trusted', { trustedProxies: ['192.0.2.0/24'] }, forwarded],
    ['more proxies are trusted than have written', { trustedProxies: 2 }, forwarded],
  ])('of a header that is ignored, where %s', (_, options, facts) => {
    expect(warningsOf(options, facts)).toEqual(['x-forwarded-for ignored'])
  })

  test('of an address that is unknown', () => {
    expect(warningsOf(undefined, { connection: 'unknown' })).toEqual(['client address unknown'])
  })

  test.each<[string, ClientIpOptions | undefined, Partial<RequestFacts>]>([
    ['the header is trusted', { trustedProxies: 1 }, forwarded],
    ['the framework trusts it', undefined, { ...forwarded, clientAddress: '203.0.113.7' }],
    ['no proxy is meant to be trusted', { trustedProxies: 0 }, forwarded],
    ['no proxies are meant to be trusted', { trustedProxies: [] }, forwarded],
    ['there is no header', undefined, {}],
  ])('of nothing where %s', (_, options, facts) => {
    expect(warningsOf(options, facts)).toEqual([])
  })
})

describe('byClientIp on a runtime without addresses', () => {
  afterEach(() => void vi.unstubAllGlobals())

  test.each([
    ['navigator', { userAgent: 'Cloudflare-Workers' }],
    ['EdgeRuntime', 'edge-runtime'],
    ['fastly', {}],
  ])('is an error that requires a key: %s', (name, value) => {
    vi.stubGlobal(name, value)
    const error = expect.objectContaining({ code: 'invalid_request', field: 'key' })
    expect(() => byClientIp()).toThrow(error)
    expect(() => rateLimit({ limits: [{ name: 'rps', capacity: 1, refill_rate: 1 }] })).toThrow(error)
  })

  test('is accepted behind proxies, and so is rateLimit() with another key', () => {
    vi.stubGlobal('navigator', { userAgent: 'Cloudflare-Workers' })
    expect(() => byClientIp({ trustedProxies: 1 })).not.toThrow()
    const limits = [{ name: 'rps', capacity: 1, refill_rate: 1 }]
    expect(() => rateLimit({ limits, key: ({ header }) => header('cf-connecting-ip') })).not.toThrow()
  })
})

test.each([{ POST: 1.5 }, { POST: -1 }, { POST: '5' }, 5, null])('costByMethod rejects %j', (requests) => {
  expect(() => costByMethod(requests as never)).toThrow(expect.objectContaining({ code: 'invalid_request' }))
})

test('costByMethod accepts a method in lower case', async () => {
  expect(await costByMethod({ post: 5 })({ ...request(''), method: 'POST' })).toEqual({ requests: 5 })
})

describe('byApiKey', () => {
  test('is the same for a key in either header, and does not contain it', async () => {
    const key = await byApiKey()(request('', { 'x-api-key': 'sk-one' }))
    expect(key).toMatch(/^key:[0-9a-f]{32}$/)
    expect(await byApiKey()(request('', { authorization: 'Bearer sk-one' }))).toBe(key)
    expect(await byApiKey()(request('', { authorization: 'Bearer sk-two' }))).not.toBe(key)
  })

  test.each([{}, { authorization: 'Basic dTpw' }, { 'x-api-key': ' ' }, { 'x-api-key': 'x'.repeat(513) }])(
    'finds none in %j',
    async (headers) => {
      expect(await byApiKey()(request('', headers))).toBeUndefined()
    },
  )
})

test('firstOf returns the first key of a request', async () => {
  const key = firstOf(byApiKey(), byClientIp())
  expect(await key(request('203.0.113.7'))).toBe('203.0.113.7')
  expect(await key(request('203.0.113.7', { 'x-api-key': 'k' }))).toMatch(/^key:/)
  expect(await firstOf(byApiKey())(request('203.0.113.7'))).toBeUndefined()
  expect(() => firstOf()).toThrow('firstOf() must get one or more functions')
  expect(() => firstOf(undefined as never)).toThrow('firstOf() must get one or more functions')
})

const createWorld = async ({ shadow = false } = {}) => {
  const clock = createTestClock()
  const table = createTableWorld()
  await table.addEntity('key-bob')
  await table.limit('key-bob', 2)
  const key = await table.addKey('key-bob', 'secret-of-bob')
  const limiter = createRateLimiter({ store: table.store, config: 'table', clock, logger: silentLogger })
  const app = new Hono()
  app.use(rateLimit({ limiter, key: byZaelKey(table.store, { clock }), shadow, clock, logger: silentLogger }))
  app.get('/', (c) => c.text('home'))
  const ask = (secret?: string) =>
    app.request('/', secret === undefined ? {} : { headers: { authorization: `Bearer ${secret}` } })
  return { ...table, clock, key, ask }
}

test('an app uses the API keys and limits of a deployed zael', async () => {
  const { ask } = await createWorld()
  const statuses = [await ask('secret-of-bob'), await ask('secret-of-bob'), await ask('secret-of-bob')]
  expect(statuses.map(({ status }) => status)).toEqual([200, 200, 429])
})

test.each([{ shadow: false }, { shadow: true }])(
  'a request without a valid key gets 401, independent of the limits: %j',
  async (options) => {
    const { ask } = await createWorld(options)
    const refused = await ask('secret-of-nobody')
    expect(refused.status).toBe(401)
    expect(refused.headers.get('www-authenticate')).toBe('Bearer')
    expect(await refused.json()).toEqual({ error: 'unauthorized', message: 'The API key is not valid' })
    expect((await ask()).status).toBe(401)
  },
)

test('a revoked key is rejected within half a minute', async () => {
  const { ask, revoke, key, clock } = await createWorld()
  expect((await ask('secret-of-bob')).status).toBe(200)
  await revoke(key)
  clock.advance(31n * SECOND)
  expect((await ask('secret-of-bob')).status).toBe(401)
})

test('a key is rejected from its expiry on', async () => {
  const { ask, addKey, clock } = await createWorld()
  await addKey('key-bob', 'short-lived', { expiresAt: clock.now() + 5n * SECOND })
  expect((await ask('short-lived')).status).toBe(200)
  clock.advance(5n * SECOND)
  expect((await ask('short-lived')).status).toBe(401)
})

test('a new key is accepted a second after it was rejected', async () => {
  const { ask, addKey, clock } = await createWorld()
  expect((await ask('new-secret')).status).toBe(401)
  await addKey('key-bob', 'new-secret')
  clock.advance(2n * SECOND)
  expect((await ask('new-secret')).status).toBe(200)
})

test('reads one key a second after five failures of the store', async () => {
  const clock = createTestClock()
  let reads = 0
  let isUnavailable = true
  const { config } = createTableWorld().store
  const apiKey: typeof config.apiKey = async () => {
    reads += 1
    if (isUnavailable) throw new StoreUnavailable('no response', { mayHaveApplied: false })
    return undefined
  }
  const keyOf = byZaelKey({ config: { ...config, apiKey } }, { clock })
  const ask = async (secret: string) => keyOf(request('203.0.113.7', { 'x-api-key': secret }))
  for (let turn = 0; turn < 20; turn++) {
    await expect(ask(`secret-${turn}`)).rejects.toBeInstanceOf(StoreUnavailable)
  }
  expect(reads).toBe(5)
  clock.advance(SECOND)
  isUnavailable = false
  await expect(ask('secret-1')).rejects.toMatchObject({ code: 'unauthorized' })
  await expect(ask('secret-2')).rejects.toMatchObject({ code: 'unauthorized' })
  expect(reads).toBe(7)
})
