import { inspect } from 'node:util'
import { type Context, Hono } from 'hono'
import { describe, expect, test } from 'vitest'
import { StoreUnavailable } from '../../../src/core/model/errors.ts'
import { rateLimit } from '../../../src/library/hono.ts'
import {
  byAnswer,
  byApiKey,
  byClientIp,
  costByMethod,
  createRateLimiter,
  firstOf,
  memoryStore,
  type RateLimitOptions,
  rateLimitHeaderNames,
  silentLogger,
} from '../../../src/library/index.ts'
import { createTestClock, SECOND } from '../../core/test-clock.ts'
import { createTableWorld } from '../table-world.ts'
import { createReportsLog } from './reports-log.ts'

const LIMITS = [{ name: 'rps', capacity: 10, refill_rate: 2 }]

/** An app with one client of its own; what it was told is in `log`. */
const createTestApp = (options: Partial<RateLimitOptions<Context>> = {}) => {
  const clock = createTestClock()
  const log = createReportsLog()
  const app = new Hono()
  app.use(rateLimit({ limits: LIMITS, clock, ...log.options, ...options }))
  app.get('/', (c) => c.text('home'))
  app.get('/health', (c) => c.text('ok'))
  app.get('/public/page', (c) => c.text('page'))
  app.post('/', (c) => c.text('done'))
  const ask = (path = '/', init: RequestInit = {}, from = '203.0.113.7') =>
    app.request(path, init, { incoming: { socket: { remoteAddress: from } } })
  const statuses = async (times: number, path?: string, init?: RequestInit, from?: string) => {
    const seen: number[] = []
    for (let i = 0; i < times; i++) seen.push((await ask(path, init, from)).status)
    return seen
  }
  return { app, ask, statuses, clock, log }
}

const ok = (times: number) => Array.from({ length: times }, () => 200)

describe('an app that limits each client', () => {
  test('refuses the request beyond the capacity and answers again after the wait', async () => {
    const { statuses, clock } = createTestApp()
    expect(await statuses(11)).toEqual([...ok(10), 429])
    clock.advance(SECOND / 2n)
    expect(await statuses(2)).toEqual([200, 429])
  })

  test('keeps other clients out of it', async () => {
    const { statuses } = createTestApp()
    await statuses(11)
    expect(await statuses(1, '/', {}, '203.0.113.8')).toEqual([200])
  })

  test('says what is left in X-RateLimit and in the form of the IETF', async () => {
    const { ask } = createTestApp()
    const { headers } = await ask()
    expect(Object.fromEntries(headers)).toMatchObject({
      'x-ratelimit-limit': '10',
      'x-ratelimit-remaining': '9',
      'x-ratelimit-reset': '1',
      'ratelimit-policy': '"rps";q=10;w=5',
      ratelimit: '"rps";r=9',
    })
    expect(headers.has('x-ratelimit-limit-requests')).toBe(false)
    expect(headers.has('retry-after')).toBe(false)
  })

  test('answers a refusal with the flat body and the wait', async () => {
    const { ask, statuses } = createTestApp()
    await statuses(10)
    const refused = await ask()
    expect(refused.status).toBe(429)
    expect(refused.headers.get('content-type')).toMatch(/^application\/json/)
    expect(refused.headers.get('retry-after-ms')).toBe('500')
    expect(refused.headers.get('retry-after')).toBe('1')
    expect(refused.headers.get('x-ratelimit-remaining')).toBe('0')
    expect(await refused.json()).toEqual({
      error: 'rate_limit_exceeded',
      message: 'Rate limit exceeded for limits: rps',
      retry_after_seconds: 0.5,
      violations: [
        {
          limit_name: 'rps',
          entity_id: 'app:203.0.113.7',
          resource: '_default_',
          available: 0,
          requested: 1,
          capacity: 10,
          retry_after_seconds: 0.5,
        },
      ],
    })
  })

  test('gives the time of the reset as a date where that is asked for', async () => {
    const { ask } = createTestApp({ resetFormat: 'iso' })
    expect((await ask()).headers.get('x-ratelimit-reset')).toBe('2026-01-01T00:00:00.500Z')
  })

  test('gives the forms of headers that are asked for', async () => {
    const { ask } = createTestApp({ headers: ['openai'] })
    const { headers } = await ask()
    expect(headers.get('x-ratelimit-remaining-requests')).toBe('9')
    expect(headers.has('ratelimit')).toBe(false)
    expect(headers.has('x-ratelimit-limit')).toBe(false)
  })

  test('gives no header that is not among those to expose', async () => {
    const { ask } = createTestApp({ headers: ['openai', 'x-ratelimit', 'ietf'] })
    const names: string[] = []
    for (let i = 0; i < 11; i++) names.push(...(await ask()).headers.keys())
    const ours = names.filter((name) => !name.startsWith('content-'))
    expect(ours.filter((name) => !rateLimitHeaderNames.includes(name))).toEqual([])
    expect(ours).toContain('x-ratelimit-warning')
  })

  test('says headers also on an answer that the app made of another one', async () => {
    const { app } = createTestApp()
    app.get('/proxied', () => Response.json({ ok: true }, { status: 201 }))
    const answer = await app.request('/proxied')
    expect([answer.status, answer.headers.get('x-ratelimit-remaining')]).toEqual([201, '9'])
    expect(await answer.json()).toEqual({ ok: true })
  })

  test('says them on errors of the app too', async () => {
    const { app } = createTestApp()
    app.onError((_, c) => c.text('broken', 500))
    app.get('/broken', () => {
      throw new Error('broken')
    })
    const answer = await app.request('/broken')
    expect([answer.status, answer.headers.get('x-ratelimit-remaining')]).toEqual([500, '9'])
  })
})

describe('exempt paths', () => {
  const exempt = { exempt: ['/health', '/public/*'] }

  test('are neither limited nor counted', async () => {
    const { statuses, ask } = createTestApp(exempt)
    expect(await statuses(12, '/health')).toEqual(ok(12))
    expect(await statuses(12, '/public/page')).toEqual(ok(12))
    expect((await ask('/health')).headers.has('x-ratelimit-limit')).toBe(false)
    expect(await statuses(11)).toEqual([...ok(10), 429])
  })

  test('still answer when all others are refused', async () => {
    const { statuses } = createTestApp(exempt)
    await statuses(11)
    expect(await statuses(1, '/health?deep=1')).toEqual([200])
  })

  test.each(['/health/', '/healthz', '/public', '/public/../x', '/public/%2e%2e/x', '/Health'])(
    'do not cover %s',
    async (path) => {
      const { app, statuses } = createTestApp(exempt)
      app.get('*', (c) => c.text('other'))
      expect(await statuses(11, path)).toEqual([...ok(10), 429])
    },
  )

  test('are those of the router that the middleware is mounted on, or whole ones', async () => {
    const sub = new Hono()
    const strict = {
      name: 'sub',
      limits: [{ name: 'rps', capacity: 1, refill_rate: 0.01 }],
      logger: silentLogger,
    }
    sub.use(rateLimit({ ...strict, exempt: ['/health', '/acme/api/status', '/files/*'] }))
    sub.get('*', (c) => c.text('sub'))
    const app = new Hono().route('/:tenant/api', sub)
    const statuses = async (path: string) => [
      (await app.request(path, {}, env)).status,
      (await app.request(path, {}, env)).status,
    ]
    const env = { incoming: { socket: { remoteAddress: '203.0.113.7' } } }
    for (const path of ['/acme/api/health', '/acme/api/status', '/acme/api/files/a/b']) {
      expect([path, await statuses(path)]).toEqual([path, ok(2)])
    }
    for (const path of ['/acme/api/healthz', '/acme/api/api/status']) {
      expect([path, await statuses(path)]).toEqual([path, expect.arrayContaining([429])])
    }
  })

  test('may be told by a function', async () => {
    const { statuses } = createTestApp({ exempt: ({ method }) => method === 'GET' })
    expect(await statuses(12)).toEqual(ok(12))
    expect(await statuses(11, '/', { method: 'POST' })).toEqual([...ok(10), 429])
  })

  test.each(['health', '/a/*/b', '*'])('cannot be %j', (path) => {
    expect(() => rateLimit({ limits: LIMITS, exempt: [path] })).toThrow(
      'exempt[0] must be a path such as /health or /public/*',
    )
  })
})

describe('costs', () => {
  test('follow the request', async () => {
    const { statuses } = createTestApp({ cost: costByMethod({ POST: 5 }) })
    expect(await statuses(3, '/', { method: 'POST' })).toEqual([200, 200, 429])
  })

  test("may be read off the framework's own request", async () => {
    const { statuses } = createTestApp({
      cost: async ({ native }) => ({ requests: Number(native.req.query('n')) }),
    })
    expect(await statuses(2, '/?n=6')).toEqual([200, 429])
  })

  test('that never fit are refused for good', async () => {
    const { ask } = createTestApp({ cost: { requests: 11 } })
    const refused = await ask()
    expect(refused.headers.get('x-should-retry')).toBe('false')
    expect(refused.headers.has('retry-after')).toBe(false)
    expect(await refused.json()).toMatchObject({ retry_after_seconds: null })
  })
})

/** As JavaScript passes it, which no compiler has checked. */
const untyped = (value: unknown): never => value as never

describe('a function that returns nonsense', () => {
  const failing = (options: Partial<RateLimitOptions<Context>>) => {
    const world = createTestApp(options)
    const errors: unknown[] = []
    world.app.onError((error, c) => {
      errors.push(error)
      return c.text('broken', 500)
    })
    return { ...world, errors }
  }

  test.each([
    [{ request: 2 }, 'cost().request'],
    [{ requests: -1 }, 'cost().requests'],
    [{ requests: 1.5 }, 'cost().requests'],
    [{ requests: Number.NaN }, 'cost().requests'],
    [5, 'cost()'],
    [undefined, 'cost()'],
  ])('for the cost is an error of the app, which does not run: %j', async (cost, field) => {
    const { ask, errors, app } = failing({ cost: untyped(async () => cost) })
    let runs = 0
    app.get('/runs', (c) => c.text(String(++runs)))
    expect((await ask('/runs')).status).toBe(500)
    expect(errors).toMatchObject([{ name: 'TypeError', code: 'invalid_request', field }])
    expect(runs).toBe(0)
  })

  test.each([{}, true, ['a'], Number.NaN])('for the key is an error of the app: %j', async (key) => {
    const { ask, errors } = failing({ key: untyped(() => key) })
    expect((await ask()).status).toBe(500)
    expect(errors).toMatchObject([{ name: 'TypeError', field: 'key' }])
  })

  test.each([5, {}])('for the resource is an error of the app: %j', async (resource) => {
    const { ask, errors } = failing({ resource: untyped(() => resource) })
    expect((await ask()).status).toBe(500)
    expect(errors).toMatchObject([{ name: 'TypeError', field: 'resource' }])
  })

  test('or that throws is an error of the app', async () => {
    const broken = () => {
      throw new Error('broken')
    }
    for (const options of [{ key: broken }, { cost: broken }, { resource: broken }, { exempt: broken }]) {
      expect((await failing(options).ask()).status).toBe(500)
    }
  })

  test.each([
    () => ({ token: 1 }),
    () => 5,
    () => ({ tokens: -1 }),
    () => Promise.reject(new Error('broken')),
  ])('for the actual use leaves the estimate, and is logged once a minute', async (settle) => {
    const { ask, log } = createTestApp({
      limits: [{ name: 'tpm', capacity: 1000, refill_rate: 1 }],
      cost: { tokens: 100 },
      settle: untyped(settle),
    })
    expect((await ask()).status).toBe(200)
    expect((await ask()).headers.get('x-ratelimit-remaining-tpm')).toBe('800')
    expect(log.logged).toEqual(['settle failed'])
  })
})

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

  test('of a limiter cannot stand beside one', () => {
    const limiter = createRateLimiter({ limits: LIMITS, logger: silentLogger })
    expect(() => rateLimit(untyped({ limiter, name: 'login' }))).toThrow(
      'name must not be given beside limiter',
    )
  })
})

describe('two limiters on one store', () => {
  const createApp = (names: { readonly general?: string; readonly login?: string }) => {
    const store = memoryStore()
    const common = { store, key: () => 'a', logger: silentLogger }
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

  test('are an error that asks for a name where neither has one', () => {
    expect(() => createApp({})).toThrow(/^name must be given: .* for example name: 'login'/)
  })

  test('share their buckets where they have one name', async () => {
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
    const common = { clock: createTestClock(), key: () => 'a', logger: silentLogger }
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

  test.each(ORDERS)('describe the tightest where none denies: %s', async (_, outer, inner) => {
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
    'describe one that denies rather than one that only watches: outside %j',
    async (isOutside) => {
      const watching = { ...STRICT, shadow: true }
      const app = isOutside ? createNested(watching, GENERAL) : createNested(GENERAL, watching)
      expect(await headersOf(app, 3)).toMatchObject({
        'x-ratelimit-limit': '100',
        'x-ratelimit-remaining': '97',
      })
    },
  )

  test.each([true, false])('say that a part was decided without the store: outside %j', async (isOutside) => {
    const unavailable = {
      limits: [{ name: 'rph', capacity: 5, refill_rate: 1 }],
      onUnavailable: 'allow' as const,
    }
    const storeless = { ...unavailable, store: storeAway() }
    const app = isOutside ? createNested(storeless, STRICT) : createNested(STRICT, storeless)
    expect(await headersOf(app, 1)).toMatchObject({ 'x-ratelimit-limit': '2', 'x-zael-degraded': 'true' })
  })

  test('of three, one inside a router, describe the one that denies', async () => {
    const common = { clock: createTestClock(), key: () => 'a', logger: silentLogger }
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
  test('may be numbers, 0 as well', async () => {
    const { ask } = createTestApp({ key: ({ native }) => Number(native.req.query('id')) })
    await ask('/?id=0')
    expect((await ask('/?id=42')).headers.get('x-ratelimit-remaining')).toBe('9')
    expect((await ask('/?id=0')).headers.get('x-ratelimit-remaining')).toBe('8')
  })

  test('that are hostile are hashed', async () => {
    for (const key of ['ENTITY#key-bob', 'a#b', 'x'.repeat(100_000), '\u0000', '../..', 'sha256:0']) {
      const { ask } = createTestApp({ key: () => key, cost: { requests: 11 } })
      expect(await (await ask()).text()).toMatch(/"entity_id":"app:sha256:[0-9a-f]{64}"/)
    }
  })

  test('of API keys are separate, and never shown', async () => {
    const { statuses, ask, log } = createTestApp({ key: firstOf(byApiKey(), byClientIp()) })
    const as = (secret: string) => ({ headers: { authorization: `Bearer ${secret}` } })
    await statuses(10, '/', as('sk-secret-one'))
    expect(await statuses(1, '/', { headers: { 'x-api-key': 'sk-secret-one' } })).toEqual([429])
    expect(await statuses(1, '/', as('sk-secret-two'))).toEqual([200])
    expect(await statuses(1)).toEqual([200])
    const refused = await (await ask('/', as('sk-secret-one'))).text()
    expect(refused + inspect(log, { depth: null })).not.toContain('sk-secret')
  })

  test.each([byApiKey(), () => '', async () => undefined])(
    'that a request does not tell are one key for all',
    async (key) => {
      const { statuses } = createTestApp({ key })
      await statuses(10, '/', {}, '203.0.113.7')
      expect(await statuses(1, '/', {}, '203.0.113.8')).toEqual([429])
    },
  )
})

describe('bypass', () => {
  const secret = 'a secret of our own'

  test('lets pass who knows the secret, without counting', async () => {
    const { statuses, log } = createTestApp({ bypass: { secret } })
    expect(await statuses(12, '/', { headers: { 'X-Internal-Secret': secret } })).toEqual(ok(12))
    expect(log.counted.filter((name) => name === 'bypassed')).toHaveLength(12)
    expect(await statuses(11)).toEqual([...ok(10), 429])
  })

  test.each(['', 'a secret of our ow', 'a secret of our own!', 'A secret of our own'])(
    'is no use to who sends %j',
    async (wrong) => {
      const { statuses } = createTestApp({ bypass: { secret } })
      expect(await statuses(11, '/', { headers: { 'x-internal-secret': wrong } })).toEqual([...ok(10), 429])
    },
  )

  test("takes the old and the new secret while it is replaced, in a header of one's own", async () => {
    const { statuses } = createTestApp({ bypass: { header: 'X-Mesh', secret: [secret, `new ${secret}`] } })
    await statuses(10)
    expect(await statuses(1, '/', { headers: { 'x-mesh': `new ${secret}` } })).toEqual([200])
    expect(await statuses(1, '/', { headers: { 'x-mesh': secret } })).toEqual([200])
  })

  test('may be told by a function', async () => {
    const { statuses } = createTestApp({ bypass: ({ path }) => path === '/health' })
    expect(await statuses(12, '/health')).toEqual(ok(12))
  })

  test.each([['short'], [[]], [['a secret of our own', '']]])('refuses %j as a secret', (weak) => {
    expect(() => rateLimit({ limits: LIMITS, bypass: { secret: weak } })).toThrow('bypass.secret must be')
  })
})

describe('shadow mode', () => {
  test('refuses no one, and tells of whom it would have', async () => {
    const { statuses, ask, log } = createTestApp({ shadow: true })
    expect(await statuses(12)).toEqual(ok(12))
    const { headers } = await ask()
    expect(headers.get('x-ratelimit-shadow')).toBe('denied')
    expect(headers.get('x-ratelimit-remaining')).toBe('0')
    expect(headers.has('retry-after')).toBe(false)
    expect(log.denials).toHaveLength(3)
    expect(log.denials[0]).toMatchObject({ key: '203.0.113.7', shadow: true })
    expect(log.counted.filter((name) => name === 'shadow_denied')).toHaveLength(3)
    expect(log.logged.filter((line) => line === 'request would have been denied')).toHaveLength(1)
  })

  test('lets pass also what cannot be decided about', async () => {
    const failing = () => {
      throw new Error('no key')
    }
    const { statuses, log } = createTestApp({ shadow: true, key: failing })
    expect(await statuses(1)).toEqual([200])
    expect(log.logged).toEqual(['request passed without a decision'])
  })

  test('lets pass while the store is away', async () => {
    const { statuses } = createTestApp({ shadow: true, store: storeAway() })
    expect(await statuses(1)).toEqual([200])
  })
})

const away = async () => {
  throw new StoreUnavailable('away', { mayHaveApplied: false })
}
const storeAway = () => ({ ...memoryStore(), buckets: { write: away, read: away, list: away, remove: away } })

test('a store that is away is answered with 503 and a short wait', async () => {
  const { ask } = createTestApp({ store: storeAway() })
  const refused = await ask()
  expect(refused.status).toBe(503)
  expect(refused.headers.get('retry-after')).toBe('1')
  expect(refused.headers.get('x-zael-degraded')).toBe('true')
  expect(await refused.json()).toMatchObject({ error: 'unavailable' })
})

describe('warnings', () => {
  test('come from 80 % on: header, log, metric, callback', async () => {
    const { ask, statuses, log } = createTestApp()
    await statuses(6)
    expect((await ask()).headers.has('x-ratelimit-warning')).toBe(false)
    expect(log.warnings).toEqual([])
    expect((await ask()).headers.get('x-ratelimit-warning')).toBe('rps;used=8;limit=10')
    expect((await ask()).headers.get('x-ratelimit-warning')).toBe('rps;used=9;limit=10')
    expect(log.warnings).toMatchObject([
      { key: '203.0.113.7', percent: 80, exceeded: false, limit: { name: 'rps', used: 8, capacity: 10 } },
    ])
    expect(log.counted.filter((name) => name === 'limits_near')).toHaveLength(2)
    expect(log.logged).toEqual(['A limit is nearly used up'])
  })

  test('are repeated after a minute, and made for each key', async () => {
    const { statuses, log, clock } = createTestApp()
    await statuses(9)
    await statuses(9, '/', {}, '203.0.113.8')
    expect(log.warnings.map(({ key }) => key)).toEqual(['203.0.113.7', '203.0.113.8'])
    clock.advance(61n * SECOND)
    await statuses(9)
    expect(log.warnings).toHaveLength(3)
  })

  test('come where the limit says', async () => {
    const limits = [{ name: 'rps', capacity: 10, refill_rate: 2, warn_at: 0.2 }]
    const { ask } = createTestApp({ limits })
    expect((await ask()).headers.has('x-ratelimit-warning')).toBe(false)
    expect((await ask()).headers.get('x-ratelimit-warning')).toBe('rps;used=2;limit=10')
  })

  test('tell of limits that only warn, and of shadow ones without telling the client', async () => {
    const limits = [
      { name: 'rps', capacity: 1, refill_rate: 0.1, mode: 'warn' as const, warn_at: 1 },
      { name: 'rpm', capacity: 1, refill_rate: 0.1, mode: 'shadow' as const, warn_at: 1 },
    ]
    const { ask, log } = createTestApp({ limits })
    await ask()
    const answer = await ask()
    expect([answer.status, answer.headers.get('x-ratelimit-warning')]).toEqual([200, 'rps;used=1;limit=1'])
    expect(log.warnings.filter(({ exceeded }) => exceeded)).toMatchObject([
      { limit: { name: 'rps', mode: 'warn' } },
      { limit: { name: 'rpm', mode: 'shadow' } },
    ])
  })

  test("tell the client nothing of its parent's limits", async () => {
    const table = createTableWorld()
    await table.addEntity('team')
    await table.addEntity('key-bob', { parentId: 'team' })
    await table.limit('team', 1)
    const clock = createTestClock()
    const { options, warnings } = createReportsLog()
    const { logger } = options
    const limiter = createRateLimiter({ store: table.store, config: 'table', clock, logger })
    const app = new Hono().use(rateLimit({ limiter, key: () => 'key-bob', clock, ...options }))
    expect((await app.request('/')).headers.has('x-ratelimit-warning')).toBe(false)
    expect(warnings).toMatchObject([{ key: 'key-bob', limit: { entityId: 'team', own: false } }])
  })

  test('survive a callback that fails', async () => {
    const { statuses } = createTestApp({
      onWarning: () => {
        throw new Error('broken callback')
      },
    })
    expect(await statuses(10)).toEqual(ok(10))
  })
})

describe('settling', () => {
  const TOKENS = [{ name: 'tpm', capacity: 1000, refill_rate: 1 }]
  const settling = { limits: TOKENS, cost: { requests: 1, tokens: 600 }, settle: byAnswer }

  /** What the next request of 600 tokens finds left after an answer, 600 having been reserved. */
  const leftAfter = async (answer: (c: Context) => Response | Promise<Response>) => {
    const { app, ask } = createTestApp(settling)
    app.get('/answer', answer)
    const text = await (await ask('/answer')).text()
    const next = await ask('/health')
    return { text, status: next.status, left: Number(next.headers.get('x-ratelimit-remaining-tpm')) }
  }

  test('goes by the usage of a JSON answer, which stays as it is', async () => {
    const body = { id: 1, usage: { prompt_tokens: 40, completion_tokens: 60, total_tokens: 100 } }
    expect(await leftAfter((c) => c.json(body))).toEqual({
      text: JSON.stringify(body),
      status: 200,
      left: 300,
    })
  })

  test('goes by X-Token-Count before the body', async () => {
    const answer = (c: Context) => c.json({ usage: { total_tokens: 500 } }, 200, { 'X-Token-Count': '200' })
    expect((await leftAfter(answer)).left).toBe(200)
  })

  test.each(['-1', '1.5', 'many', '1e2', '99999999999999999999'])(
    'takes no notice of the count %j',
    async (count) => {
      const { status } = await leftAfter((c) => c.text('x', 200, { 'X-Token-Count': count }))
      expect(status).toBe(429)
    },
  )

  test('adds input and output where no total is told', async () => {
    const { left } = await leftAfter((c) => c.json({ usage: { input_tokens: 150, output_tokens: 50 } }))
    expect(left).toBe(200)
  })

  test('costs the request alone where the answer failed and tells of no use', async () => {
    const answer = (c: Context) => c.json({ error: 'upstream' }, 502)
    expect(await leftAfter(answer)).toMatchObject({ status: 200, left: 400 })
  })

  test('does not give the request itself back where the answer failed', async () => {
    const limits = [...TOKENS, { name: 'rpm', capacity: 2, refill_rate: 0.01 }]
    const { app, statuses } = createTestApp({ ...settling, limits })
    app.get('/failing', (c) => c.json({ error: 'upstream' }, 502))
    expect(await statuses(3, '/failing')).toEqual([502, 502, 429])
  })

  test('leaves the estimate where an answer tells nothing', async () => {
    expect((await leftAfter((c) => c.text('nothing'))).status).toBe(429)
  })

  test('leaves the estimate, and the answer, where JSON is broken', async () => {
    const answer = (c: Context) => c.body('{"usage":', 200, { 'content-type': 'application/json' })
    expect(await leftAfter(answer)).toMatchObject({ text: '{"usage":', status: 429 })
  })
})

describe('answers that stream', () => {
  test('arrive piece by piece, before they have ended', async () => {
    const { app, ask } = createTestApp({ settle: byAnswer })
    let more: (text: string) => void = () => {}
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        more = (text) => controller.enqueue(new TextEncoder().encode(text))
      },
    })
    app.get('/stream', () => new Response(body, { headers: { 'content-type': 'text/event-stream' } }))
    const answer = await ask('/stream')
    expect(answer.headers.get('x-ratelimit-remaining')).toBe('9')
    const reader = answer.body?.getReader()
    more('data: 1\n\n')
    expect(new TextDecoder().decode((await reader?.read())?.value)).toBe('data: 1\n\n')
    await reader?.cancel()
  })

  test('that say they are JSON and are large are passed on whole and unread', async () => {
    const { app, ask } = createTestApp({ settle: byAnswer })
    const piece = new TextEncoder().encode(' '.repeat(65_536))
    let pieces = 0
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        pieces++
        if (pieces > 40) controller.close()
        else controller.enqueue(piece)
      },
    })
    app.get('/large', () => new Response(body, { headers: { 'content-type': 'application/json' } }))
    const answer = await ask('/large')
    expect(pieces).toBeLessThan(25)
    expect((await answer.arrayBuffer()).byteLength).toBe(40 * 65_536)
  })
})
