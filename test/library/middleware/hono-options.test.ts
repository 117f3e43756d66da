import { inspect } from 'node:util'
import { type Context, Hono } from 'hono'
import { describe, expect, test } from 'vitest'
import { rateLimit } from '../../../src/library/hono.ts'
import {
  byApiKey,
  byClientIp,
  createRateLimiter,
  firstOf,
  memoryStore,
  type RateLimitOptions,
  silentLogger,
} from '../../../src/library/index.ts'
import { createTestClock } from '../../core/test-clock.ts'
import { createTestApp, HEADERS, LIMITS, ok, unavailableStore, untyped } from './test-app.ts'

describe('options', () => {
  test.each([
    [undefined, 'limits', /^limits must be given/],
    [{}, 'limits', /^limits must be given/],
    [{ exmpt: [] }, 'exmpt', /^exmpt must not be given; known options are limiter, .*exempt/],
    [{ onUnavailable: 'open' }, 'onUnavailable', /^onUnavailable must be one of/],
    [{ onUnavailable: null }, 'onUnavailable', /^onUnavailable must be one of/],
    [{ store: null }, 'store', /^store must be what memoryStore\(\)/],
    [{ name: null }, 'name', /^name must be 1 to 48 of/],
    [{ revision: null }, 'revision', /^revision must be a whole number/],
    [{ config: 'table' }, 'config', /^config must not be given/],
    [{ cost: 5 }, 'cost', /^cost must be an object of amounts/],
    [{ cost: { request: 1 } }, 'cost.request', /known meters are requests/],
    [{ key: 'ip' }, 'key', /^key must be a function/],
    [{ settle: true }, 'settle', /^settle must be a function/],
    [{ exempt: '/health' }, 'exempt', /^exempt must be a list of paths, or a function/],
    [{ headers: ['x-rate'] }, 'headers[0]', /^headers\[0\] must be one of x-ratelimit, ietf, openai/],
    [{ headers: 'ietf' }, 'headers', /^headers must be a list/],
    [{ resetFormat: 'date' }, 'resetFormat', /^resetFormat must be one of seconds, iso/],
    [{ shadow: 'yes' }, 'shadow', /^shadow must be true or false/],
    [{ bypass: { secret: undefined } }, 'bypass.secret', /^bypass.secret must be at least 16/],
    [{ bypass: { secrets: 'x'.repeat(16) } }, 'bypass.secrets', /^bypass.secrets must not be given; known/],
    [{ bypass: 'x'.repeat(16) }, 'bypass', /^bypass must be an object/],
    [{ limiter: {} }, 'limiter', /^limiter must be what createRateLimiter\(\) returns/],
  ])('that are unknown or invalid are named: %o', (options, field, message) => {
    const given = options && Object.keys(options).length > 0 ? { limits: LIMITS, ...options } : options
    expect(() => rateLimit(untyped(given))).toThrow(
      expect.objectContaining({ code: 'invalid_request', field, message: expect.stringMatching(message) }),
    )
  })

  test('that are undefined are left out', () => {
    const limiter = createRateLimiter({ limits: LIMITS, logger: silentLogger })
    expect(() => rateLimit(untyped({ limiter, name: undefined, limits: undefined }))).not.toThrow()
    const none = { store: undefined, name: undefined, revision: undefined, onUnavailable: undefined }
    expect(() => rateLimit(untyped({ limits: LIMITS, ...none }))).not.toThrow()
  })

  test('of a limiter are rejected beside a limiter', () => {
    const limiter = createRateLimiter({ limits: LIMITS, logger: silentLogger })
    expect(() => rateLimit(untyped({ limiter, name: 'login' }))).toThrow(
      'name must not be given beside limiter',
    )
  })
})

describe('two limiters on one store', () => {
  const createApp = (names: { readonly general?: string; readonly login?: string }) => {
    const store = memoryStore()
    const common = { store, headers: HEADERS, key: () => 'a', logger: silentLogger }
    const nameOf = (name?: string) => (name === undefined ? {} : { name })
    const general = [{ name: 'rpm', capacity: 100, refill_rate: 100 / 60 }]
    const login = [{ name: 'rpm', capacity: 3, refill_rate: 3 / 60 }]
    const app = new Hono()
    app.use('/api', rateLimit({ ...common, ...nameOf(names.general), limits: general }))
    app.use('/login', rateLimit({ ...common, ...nameOf(names.login), limits: login }))
    return app.all('*', (c) => c.text('ok'))
  }

  test('keep their own buckets', async () => {
    const app = createApp({ login: 'login' })
    for (let i = 0; i < 20; i++) await app.request('/api')
    const logins = [1, 2, 3, 4].map(() => app.request('/login'))
    expect((await Promise.all(logins)).map(({ status }) => status)).toEqual([...ok(3), 429])
  })

  test('are an error that requires a name if neither has one', () => {
    expect(() => createApp({})).toThrow(/^name must be given: .* for example name: 'login'/)
  })

  test('share their buckets if they have one name', async () => {
    const app = createApp({ general: 'all', login: 'all' })
    const left = async (path: string) => (await app.request(path)).headers.get('x-ratelimit-remaining')
    expect([await left('/login'), await left('/login')]).toEqual(['2', '1'])
    expect(Number(await left('/api'))).toBeLessThan(99)
  })
})

describe('limiters inside each other', () => {
  const GENERAL = { limits: [{ name: 'rpm', capacity: 100, refill_rate: 1 }] }
  const STRICT = { limits: [{ name: 'rps', capacity: 2, refill_rate: 0.1 }] }

  /** The headers of the third request: the strict one denies it. */
  const createNested = (
    outer: Partial<RateLimitOptions<Context>>,
    inner: Partial<RateLimitOptions<Context>>,
  ) => {
    const common = { headers: HEADERS, clock: createTestClock(), key: () => 'a', logger: silentLogger }
    const app = new Hono()
    app.use(rateLimit({ limits: [], ...common, ...outer }), rateLimit({ limits: [], ...common, ...inner }))
    return app.get('/', (c) => c.text('home'))
  }
  const headersOf = async (app: Hono, times: number) => {
    for (let i = 1; i < times; i++) await app.request('/')
    return Object.fromEntries((await app.request('/')).headers)
  }
  const ORDERS: [string, object, object][] = [
    ['the strict one inside', GENERAL, STRICT],
    ['the strict one outside', STRICT, GENERAL],
  ]

  test.each(ORDERS)('describe the one that denies: %s', async (_, outer, inner) => {
    expect(await headersOf(createNested(outer, inner), 3)).toMatchObject({
      'x-ratelimit-limit': '2',
      'x-ratelimit-remaining': '0',
      'ratelimit-policy': '"rps";q=2;w=20',
      'retry-after': '10',
    })
  })

  test('describe the one that denies although the other has less left', async () => {
    const less = { limits: [{ name: 'rpm', capacity: 10, refill_rate: 0.1 }], cost: { requests: 4 } }
    const denying = { limits: [{ name: 'rps', capacity: 20, refill_rate: 0.1 }], cost: { requests: 12 } }
    expect(await headersOf(createNested(less, denying), 2)).toMatchObject({
      'x-ratelimit-limit': '20',
      'x-ratelimit-remaining': '8',
      'retry-after': '40',
    })
  })

  test.each(ORDERS)('describe the tightest if none denies: %s', async (_, outer, inner) => {
    const headers = await headersOf(createNested(outer, inner), 1)
    expect(headers).toMatchObject({
      'x-ratelimit-limit': '2',
      'x-ratelimit-remaining': '1',
      ratelimit: '"rps";r=1',
    })
  })

  test.each(ORDERS)('leave no header of the other: %s', async (_, outer, inner) => {
    const tokens = { limits: [{ name: 'tpm', capacity: 1000, refill_rate: 1 }], cost: { tokens: 1 } }
    const app = createNested(outer === GENERAL ? tokens : STRICT, inner === GENERAL ? tokens : STRICT)
    for (const times of [1, 3]) {
      const headers = await headersOf(app, times)
      expect(headers).toMatchObject({ 'x-ratelimit-limit': '2' })
      expect(headers).not.toHaveProperty('x-ratelimit-limit-tpm')
    }
  })

  test.each([true, false])(
    'describe one that may deny rather than one in shadow mode: outside %j',
    async (isOutside) => {
      const shadowed = { ...STRICT, shadow: true }
      const app = isOutside ? createNested(shadowed, GENERAL) : createNested(GENERAL, shadowed)
      expect(await headersOf(app, 3)).toMatchObject({
        'x-ratelimit-limit': '100',
        'x-ratelimit-remaining': '97',
      })
    },
  )

  test.each([true, false])(
    'are marked if a part was decided without the store: outside %j',
    async (isOutside) => {
      const unavailable = {
        limits: [{ name: 'rph', capacity: 5, refill_rate: 1 }],
        onUnavailable: 'allow' as const,
      }
      const storeless = { ...unavailable, store: unavailableStore() }
      const app = isOutside ? createNested(storeless, STRICT) : createNested(STRICT, storeless)
      expect(await headersOf(app, 1)).toMatchObject({ 'x-ratelimit-limit': '2', 'x-zael-degraded': 'true' })
    },
  )

  test('of three, one inside a router, describe the one that denies', async () => {
    const common = { headers: HEADERS, clock: createTestClock(), key: () => 'a', logger: silentLogger }
    const sub = new Hono().use(rateLimit({ ...common, ...STRICT })).get('/', (c) => c.text('sub'))
    const app = new Hono()
    app.use(rateLimit({ ...common, ...GENERAL }))
    app.use(rateLimit({ ...common, limits: [{ name: 'rph', capacity: 50, refill_rate: 1 }] }))
    app.route('/sub', sub)
    for (let i = 0; i < 2; i++) await app.request('/sub')
    const denied = await app.request('/sub')
    expect([denied.status, denied.headers.get('x-ratelimit-limit')]).toEqual([429, '2'])
  })
})

describe('keys', () => {
  test('may be numbers, including 0', async () => {
    const { send } = createTestApp({ key: ({ native }) => Number(native.req.query('id')) })
    await send('/?id=0')
    expect((await send('/?id=42')).headers.get('x-ratelimit-remaining')).toBe('9')
    expect((await send('/?id=0')).headers.get('x-ratelimit-remaining')).toBe('8')
  })

  test('that are hostile are hashed', async () => {
    for (const key of ['ENTITY#key-bob', 'a#b', 'x'.repeat(100_000), '\u0000', '../..', 'sha256:0']) {
      const { send } = createTestApp({ key: () => key, cost: { requests: 11 } })
      expect(await (await send()).text()).toMatch(/"entity_id":"app:sha256:[0-9a-f]{64}"/)
    }
  })

  test('of API keys are separate, and never shown', async () => {
    const { statuses, send, log } = createTestApp({ key: firstOf(byApiKey(), byClientIp()) })
    const as = (secret: string) => ({ headers: { authorization: `Bearer ${secret}` } })
    await statuses(10, '/', as('sk-secret-one'))
    expect(await statuses(1, '/', { headers: { 'x-api-key': 'sk-secret-one' } })).toEqual([429])
    expect(await statuses(1, '/', as('sk-secret-two'))).toEqual([200])
    expect(await statuses(1)).toEqual([200])
    const denied = await (await send('/', as('sk-secret-one'))).text()
    expect(denied + inspect(log, { depth: null })).not.toContain('sk-secret')
  })

  test.each([byApiKey(), () => '', async () => undefined])(
    'that a request does not contain are one key for all',
    async (key) => {
      const { statuses } = createTestApp({ key })
      await statuses(10, '/', {}, '203.0.113.7')
      expect(await statuses(1, '/', {}, '203.0.113.8')).toEqual([429])
    },
  )
})

describe('bypass', () => {
  const secret = 'a secret of our own'

  test('passes callers with the secret, without counting', async () => {
    const { statuses, log } = createTestApp({ bypass: { secret } })
    expect(await statuses(12, '/', { headers: { 'X-Internal-Secret': secret } })).toEqual(ok(12))
    expect(log.counted.filter((name) => name === 'bypassed')).toHaveLength(12)
    expect(await statuses(11)).toEqual([...ok(10), 429])
  })

  test.each(['', 'a secret of our ow', 'a secret of our own!', 'A secret of our own'])(
    'does not accept the secret %j',
    async (wrong) => {
      const { statuses } = createTestApp({ bypass: { secret } })
      expect(await statuses(11, '/', { headers: { 'x-internal-secret': wrong } })).toEqual([...ok(10), 429])
    },
  )

  test('accepts the old and the new secret during a rotation, in a custom header', async () => {
    const { statuses } = createTestApp({ bypass: { header: 'X-Mesh', secret: [secret, `new ${secret}`] } })
    await statuses(10)
    expect(await statuses(1, '/', { headers: { 'x-mesh': `new ${secret}` } })).toEqual([200])
    expect(await statuses(1, '/', { headers: { 'x-mesh': secret } })).toEqual([200])
  })

  test('may be a function', async () => {
    const { statuses } = createTestApp({ bypass: ({ path }) => path === '/health' })
    expect(await statuses(12, '/health')).toEqual(ok(12))
  })

  test.each([['short'], [[]], [['a secret of our own', '']]])('rejects %j as a secret', (weak) => {
    expect(() => rateLimit({ limits: LIMITS, bypass: { secret: weak } })).toThrow('bypass.secret must be')
  })
})
