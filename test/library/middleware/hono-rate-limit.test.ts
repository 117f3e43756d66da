import { inspect } from 'node:util'
import { type Context, Hono } from 'hono'
import { describe, expect, test } from 'vitest'
import { StoreUnavailable } from '../../../src/core/errors.ts'
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
      'x-ratelimit-reset': '2026-01-01T00:00:00.500Z',
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

describe('keys', () => {
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
    expect(log.logged.filter((line) => line === 'A request would have been refused')).toHaveLength(1)
  })

  test('lets pass also what cannot be decided about', async () => {
    const failing = () => {
      throw new Error('no key')
    }
    const { statuses, log } = createTestApp({ shadow: true, key: failing })
    expect(await statuses(1)).toEqual([200])
    expect(log.logged).toEqual(['A request could not be decided about, and passed'])
  })

  test('lets pass while the store is away', async () => {
    const { statuses } = createTestApp({ shadow: true, store: storeAway })
    expect(await statuses(1)).toEqual([200])
  })
})

const away = async () => {
  throw new StoreUnavailable('away', { mayHaveApplied: false })
}
const storeAway = { ...memoryStore(), buckets: { write: away, read: away, list: away, remove: away } }

test('a store that is away is answered with 503 and a short wait', async () => {
  const { ask } = createTestApp({ store: storeAway })
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
    const limiter = createRateLimiter({ store: table.store, config: 'table', clock, ...options })
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
