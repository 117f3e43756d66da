import { type Context, Hono } from 'hono'
import { describe, expect, test } from 'vitest'
import { rateLimit } from '../../../src/library/hono.ts'
import {
  costByMethod,
  type RateLimitOptions,
  rateLimitHeaderNames,
  silentLogger,
} from '../../../src/library/index.ts'
import { SECOND } from '../../core/test-clock.ts'
import { createTestApp, LIMITS, ok, untyped } from './test-app.ts'

describe('an app that limits each client', () => {
  test('denies the request beyond the capacity, and allows one after the wait', async () => {
    const { statuses, clock } = createTestApp()
    expect(await statuses(11)).toEqual([...ok(10), 429])
    clock.advance(SECOND / 2n)
    expect(await statuses(2)).toEqual([200, 429])
  })

  test('counts other clients separately', async () => {
    const { statuses } = createTestApp()
    await statuses(11)
    expect(await statuses(1, '/', {}, '203.0.113.8')).toEqual([200])
  })

  test('sends the headers of the IETF and no others by default', async () => {
    const limiter = rateLimit({ limits: LIMITS, key: () => 'a', logger: silentLogger })
    const app = new Hono().use(limiter).get('/', (c) => c.text('home'))
    const namesOf = ({ headers }: Response) =>
      [...headers.keys()].filter((name) => rateLimitHeaderNames.includes(name))
    expect(namesOf(await app.request('/'))).toEqual(['ratelimit', 'ratelimit-policy'])
    for (let i = 0; i < 9; i++) await app.request('/')
    expect(namesOf(await app.request('/'))).toEqual([
      'ratelimit',
      'ratelimit-policy',
      'retry-after',
      'retry-after-ms',
    ])
  })

  test('sends the remaining amount in X-RateLimit and IETF headers', async () => {
    const { send } = createTestApp({ headers: ['x-ratelimit', 'ietf'] })
    const { headers } = await send()
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

  test('responds to a denied request with the flat body and the wait', async () => {
    const { send, statuses } = createTestApp()
    await statuses(10)
    const denied = await send()
    expect(denied.status).toBe(429)
    expect(denied.headers.get('content-type')).toMatch(/^application\/json/)
    expect(denied.headers.get('retry-after-ms')).toBe('500')
    expect(denied.headers.get('retry-after')).toBe('1')
    expect(denied.headers.get('x-ratelimit-remaining')).toBe('0')
    expect(await denied.json()).toEqual({
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

  test('sends the time of the reset as a date if configured', async () => {
    const { send } = createTestApp({ resetFormat: 'iso' })
    expect((await send()).headers.get('x-ratelimit-reset')).toBe('2026-01-01T00:00:00.500Z')
  })

  test('sends the configured forms of headers', async () => {
    const { send } = createTestApp({ headers: ['openai'] })
    const { headers } = await send()
    expect(headers.get('x-ratelimit-remaining-requests')).toBe('9')
    expect(headers.has('ratelimit')).toBe(false)
    expect(headers.has('x-ratelimit-limit')).toBe(false)
  })

  test('sends no header that is missing in the list to expose', async () => {
    const { send } = createTestApp({ headers: ['openai', 'x-ratelimit', 'ietf'] })
    const names: string[] = []
    for (let i = 0; i < 11; i++) names.push(...(await send()).headers.keys())
    const ours = names.filter((name) => !name.startsWith('content-'))
    expect(ours.filter((name) => !rateLimitHeaderNames.includes(name))).toEqual([])
    expect(ours).toContain('x-ratelimit-warning')
  })

  test('adds headers to a response that the handler creates', async () => {
    const { app } = createTestApp()
    app.get('/proxied', () => Response.json({ ok: true }, { status: 201 }))
    const response = await app.request('/proxied')
    expect([response.status, response.headers.get('x-ratelimit-remaining')]).toEqual([201, '9'])
    expect(await response.json()).toEqual({ ok: true })
  })

  test('adds them to errors of the app', async () => {
    const { app } = createTestApp()
    app.onError((_, c) => c.text('broken', 500))
    app.get('/broken', () => {
      throw new Error('broken')
    })
    const response = await app.request('/broken')
    expect([response.status, response.headers.get('x-ratelimit-remaining')]).toEqual([500, '9'])
  })
})

test('the environment of a request is read for the address, and not if another key is given', async () => {
  const readBy = async (options: Partial<RateLimitOptions<Context>>) => {
    const read: PropertyKey[] = []
    const env = new Proxy(
      { incoming: { socket: { remoteAddress: '203.0.113.7' } } },
      {
        get(target, name) {
          read.push(name)
          return Reflect.get(target, name)
        },
      },
    )
    const app = new Hono().use(rateLimit({ limits: LIMITS, logger: silentLogger, ...options }))
    await app.get('/', (c) => c.text('home')).request('/', {}, env)
    return read
  }
  expect(await readBy({})).toEqual(['incoming'])
  expect(await readBy({ key: () => 'a' })).toEqual([])
})

describe('exempt paths', () => {
  const exempt = { exempt: ['/health', '/public/*'] }

  test('are neither limited nor counted', async () => {
    const { statuses, send } = createTestApp(exempt)
    expect(await statuses(12, '/health')).toEqual(ok(12))
    expect(await statuses(12, '/public/page')).toEqual(ok(12))
    expect((await send('/health')).headers.has('x-ratelimit-limit')).toBe(false)
    expect(await statuses(11)).toEqual([...ok(10), 429])
  })

  test('still respond when all others are denied', async () => {
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

  test('are relative to the router of the middleware, or whole', async () => {
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

  test('may be a function', async () => {
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

  test("may be read from the framework's own request", async () => {
    const { statuses } = createTestApp({
      cost: async ({ native }) => ({ requests: Number(native.req.query('n')) }),
    })
    expect(await statuses(2, '/?n=6')).toEqual([200, 429])
  })

  test('that never fit are denied without a wait', async () => {
    const { send } = createTestApp({ cost: { requests: 11 } })
    const denied = await send()
    expect(denied.headers.get('x-should-retry')).toBe('false')
    expect(denied.headers.has('retry-after')).toBe(false)
    expect(await denied.json()).toMatchObject({ retry_after_seconds: null })
  })
})

describe('a function that returns an invalid value', () => {
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
    const { send, errors, app } = failing({ cost: untyped(async () => cost) })
    let runs = 0
    app.get('/runs', (c) => c.text(String(++runs)))
    expect((await send('/runs')).status).toBe(500)
    expect(errors).toMatchObject([{ name: 'TypeError', code: 'invalid_request', field }])
    expect(runs).toBe(0)
  })

  test.each([{}, true, ['a'], Number.NaN])('for the key is an error of the app: %j', async (key) => {
    const { send, errors } = failing({ key: untyped(() => key) })
    expect((await send()).status).toBe(500)
    expect(errors).toMatchObject([{ name: 'TypeError', field: 'key' }])
  })

  test.each([5, {}])('for the resource is an error of the app: %j', async (resource) => {
    const { send, errors } = failing({ resource: untyped(() => resource) })
    expect((await send()).status).toBe(500)
    expect(errors).toMatchObject([{ name: 'TypeError', field: 'resource' }])
  })

  test('or throws is an error of the app', async () => {
    const broken = () => {
      throw new Error('broken')
    }
    for (const options of [{ key: broken }, { cost: broken }, { resource: broken }, { exempt: broken }]) {
      expect((await failing(options).send()).status).toBe(500)
    }
  })

  test.each([
    () => ({ token: 1 }),
    () => 5,
    () => ({ tokens: -1 }),
    () => Promise.reject(new Error('broken')),
  ])('for the actual cost leaves the estimate, and is logged once a minute', async (settle) => {
    const { send, log } = createTestApp({
      limits: [{ name: 'tpm', capacity: 1000, refill_rate: 1 }],
      cost: { tokens: 100 },
      settle: untyped(settle),
    })
    expect((await send()).status).toBe(200)
    expect((await send()).headers.get('x-ratelimit-remaining-tpm')).toBe('800')
    expect(log.logged).toEqual(['settle failed'])
  })
})
