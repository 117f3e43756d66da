import { EventEmitter, once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import express, { type ErrorRequestHandler, type Express, type Request, Router } from 'express'
import { afterEach, describe, expect, test } from 'vitest'
import { rateLimit } from '../../../src/library/express.ts'
import { byResponse, type RateLimitOptions, silentLogger } from '../../../src/library/index.ts'
import { createTestClock, SECOND } from '../../core/test-clock.ts'
import { createReportsLog } from './reports-log.ts'

const LIMITS = [{ name: 'rps', capacity: 10, refill_rate: 2 }]

/** Both forms of headers, for tests that read them. */
const HEADERS = ['ietf', 'x-ratelimit'] as const

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

/** A real server on a free loopback port; `routes` adds routes to it. */
const start = async (
  options: Partial<RateLimitOptions<Request>>,
  routes: (app: Express) => void = () => {},
) => {
  const clock = createTestClock()
  const log = createReportsLog()
  const app = express()
  app.use(rateLimit({ limits: LIMITS, headers: HEADERS, clock, ...log.options, ...options }))
  app.get('/', (_, response) => void response.send('home'))
  app.get('/health', (_, response) => void response.send('ok'))
  routes(app)
  const server = createServer(app).listen(0, '127.0.0.1')
  await once(server, 'listening')
  closing.push(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new TypeError('the server has no port')
  const { port } = address
  const send = (path = '/', headers = {}, signal: AbortSignal | null = null) =>
    fetch(`http://127.0.0.1:${port}${path}`, { headers, signal })
  const statuses = async (times: number, path?: string, headers = {}) => {
    const received: number[] = []
    for (let i = 0; i < times; i++) {
      const response = await send(path, headers)
      await response.arrayBuffer()
      received.push(response.status)
    }
    return received
  }
  return { send, statuses, clock, log }
}

const ok = (times: number) => Array.from({ length: times }, () => 200)

describe('an Express app', () => {
  test('denies the request beyond the capacity, and allows one after the wait', async () => {
    const { statuses, clock } = await start({ exempt: ['/health'] })
    expect(await statuses(11)).toEqual([...ok(10), 429])
    expect(await statuses(1, '/health?deep=1')).toEqual([200])
    clock.advance(SECOND / 2n)
    expect(await statuses(2)).toEqual([200, 429])
  })

  test('sends the remaining amount, and responds to a denied request with the flat body', async () => {
    const { send, statuses } = await start({})
    expect((await send()).headers.get('ratelimit')).toBe('"rps";r=9')
    await statuses(9)
    const denied = await send()
    expect(denied.headers.get('retry-after')).toBe('1')
    expect(await denied.json()).toMatchObject({
      error: 'rate_limit_exceeded',
      violations: [{ limit_name: 'rps', entity_id: 'app:127.0.0.1' }],
    })
  })

  test('limits the address of the connection, whatever X-Forwarded-For contains', async () => {
    const { statuses } = await start({})
    await statuses(10, '/', { 'x-forwarded-for': '1.1.1.1' })
    expect(await statuses(1, '/', { 'x-forwarded-for': '2.2.2.2' })).toEqual([429])
  })

  test('passes errors of its options to the app', async () => {
    const { statuses } = await start({
      key: () => {
        throw Object.assign(new Error('no key'), { status: 418 })
      },
    })
    expect(await statuses(1)).toEqual([418])
  })

  test('compares the whole path without the query, also if mounted on a part of the app', async () => {
    const mounted = rateLimit({
      limits: [{ name: 'rps', capacity: 1, refill_rate: 0.01 }],
      exempt: ({ path }) => path === '/part/free',
      logger: silentLogger,
    })
    const { statuses } = await start({}, (app) => {
      app.use('/part', mounted, (_, response) => void response.send('part'))
    })
    expect(await statuses(3, '/part/free?x=1')).toEqual(ok(3))
    expect(await statuses(2, '/part/other')).toEqual([200, 429])
  })
})

describe('a request and its response', () => {
  /** Records the properties that are read of an object without any. */
  const recording = <T>(properties: object) => {
    const read: PropertyKey[] = []
    const target = new Proxy(properties, {
      get(object, name) {
        if (typeof name === 'string') read.push(name)
        return Reflect.get(object, name)
      },
    })
    return { read, target: target as T }
  }

  const limit = async (options: Partial<RateLimitOptions<Request>>) => {
    const socket = { remoteAddress: '203.0.113.7' }
    const app = { enabled: () => false }
    const { read: ofRequest, target: request } = recording<Request>({ app, socket, get: () => undefined })
    const { read: ofResponse, target: response } = recording<ServerResponse>({ setHeader() {} })
    await new Promise<void>((resolve, reject) => {
      const limiter = rateLimit({ limits: LIMITS, logger: silentLogger, ...options })
      void limiter(request, response as never, (error?: unknown) => (error ? reject(error) : resolve()))
    })
    return { ofRequest, ofResponse }
  }

  test('are not read if no option needs them, except to set headers', async () => {
    const { ofRequest, ofResponse } = await limit({ key: () => 'a' })
    expect(ofRequest).toEqual([])
    expect(new Set(ofResponse)).toEqual(new Set(['setHeader']))
  })

  test('are read by the default key for the address', async () => {
    const { ofRequest } = await limit({})
    expect(new Set(ofRequest)).toEqual(new Set(['socket', 'app', 'get']))
  })
})

describe('exempt paths of a mounted router', () => {
  test('are relative to the router, or whole', async () => {
    const router = Router()
    const limits = [{ name: 'rps', capacity: 1, refill_rate: 0.01 }]
    router.use(rateLimit({ limits, exempt: ['/health', '/api/status', '/files/*'], logger: silentLogger }))
    router.use((_, response) => void response.send('router'))
    const { statuses } = await start({}, (app) => void app.use('/api', router))
    for (const path of ['/api/health?deep=1', '/api/status', '/api/files/a']) {
      expect([path, await statuses(2, path)]).toEqual([path, ok(2)])
    }
    expect(await statuses(2, '/api/other')).toEqual([200, 429])
    expect(await statuses(1, '/api/healthz')).toEqual([429])
  })
})

describe('an Express app behind a proxy', () => {
  const from = (address: string) => ({ 'x-forwarded-for': address })

  test('limits each client by req.ip if the app trusts the proxy', async () => {
    const { statuses, log } = await start({}, (app) => void app.set('trust proxy', 1))
    expect(await statuses(11, '/', from('9.9.9.9, 203.0.113.7'))).toEqual([...ok(10), 429])
    expect(await statuses(1, '/', from('203.0.113.7, 203.0.113.8'))).toEqual([200])
    expect(log.logged).not.toContain('x-forwarded-for ignored')
  })

  test('warns once that a header is ignored', async () => {
    const { statuses, log } = await start({})
    await statuses(3, '/', from('203.0.113.7'))
    expect(log.logged).toEqual(['x-forwarded-for ignored'])
  })
})

describe('limiters inside each other in Express', () => {
  const GENERAL = { limits: [{ name: 'rpm', capacity: 100, refill_rate: 1 }] }
  const STRICT = { limits: [{ name: 'rps', capacity: 2, refill_rate: 0.1 }], cost: { requests: 1 } }

  test.each([
    ['the strict one inside', GENERAL, STRICT],
    ['the strict one outside', STRICT, GENERAL],
  ])('describe the one that denies, else the tightest: %s', async (_, outer, inner) => {
    const { send } = await start(outer, (app) => {
      app.use(
        '/part',
        rateLimit({ ...inner, headers: HEADERS, clock: createTestClock(), logger: silentLogger }),
      )
      app.get('/part', (_, response) => void response.send('part'))
    })
    expect(Object.fromEntries((await send('/part')).headers)).toMatchObject({
      'x-ratelimit-limit': '2',
      'x-ratelimit-remaining': '1',
    })
    await send('/part')
    const denied = await send('/part')
    expect(denied.status).toBe(429)
    expect(Object.fromEntries(denied.headers)).toMatchObject({
      'x-ratelimit-limit': '2',
      'x-ratelimit-remaining': '0',
      'ratelimit-policy': '"rps";q=2;w=20',
      'retry-after': '10',
    })
  })

  test('leave no header of the other', async () => {
    const tokens = { limits: [{ name: 'tpm', capacity: 1000, refill_rate: 1 }], cost: { tokens: 1 } }
    const { send } = await start(tokens, (app) => {
      app.use('/part', rateLimit({ ...STRICT, headers: HEADERS, logger: silentLogger }))
      app.get('/part', (_, response) => void response.send('part'))
    })
    const { headers } = await send('/part')
    expect([headers.get('x-ratelimit-limit'), headers.has('x-ratelimit-limit-tpm')]).toEqual(['2', false])
  })
})

test('an invalid cost is an error of the app, and its handler does not run', async () => {
  const errors: unknown[] = []
  let runs = 0
  const onError: ErrorRequestHandler = (error, _request, response, _next) => {
    errors.push(error)
    response.status(500).send('broken')
  }
  const cost = (() => ({ request: 2 })) as never
  const { statuses } = await start({ cost }, (app) => {
    app.get('/runs', (_, response) => void response.send(String(++runs)))
    app.use(onError)
  })
  expect(await statuses(1, '/runs')).toEqual([500])
  expect(errors).toMatchObject([{ name: 'TypeError', field: 'cost().request' }])
  expect(runs).toBe(0)
})

describe('settling an Express app', () => {
  const settling: Partial<RateLimitOptions<Request>> = {
    limits: [{ name: 'tpm', capacity: 1000, refill_rate: 1 }],
    cost: { requests: 1, tokens: 600 },
    settle: byResponse,
  }

  /** Sends requests until the previous response has been settled, which may be just after it has arrived. */
  const untilSettled = async (send: () => Promise<Response>): Promise<string | null> => {
    for (let i = 0; i < 100; i++) {
      const { status, headers } = await send()
      if (status === 200) return headers.get('x-ratelimit-remaining-tpm')
    }
    return null
  }

  test('reads the argument of res.json()', async () => {
    const { send } = await start(settling, (app) => {
      app.get('/settled', (_, response) => void response.json({ usage: { total_tokens: 100 } }))
    })
    expect(await (await send('/settled')).json()).toEqual({ usage: { total_tokens: 100 } })
    expect(await untilSettled(() => send())).toBe('300')
  })

  test('settles a request whose client disconnected during the decision', async () => {
    const events = new EventEmitter()
    const [arrived, settled] = [once(events, 'arrived'), once(events, 'settled')]
    const { send } = await start({
      ...settling,
      key: async ({ native }) => {
        const closed = once(native.socket, 'close')
        events.emit('arrived')
        await closed
        return 'key'
      },
      settle: ({ status }) => {
        events.emit('settled', status)
        return undefined
      },
    })
    const client = new AbortController()
    const sent = send('/', {}, client.signal)
    await arrived
    client.abort()
    await expect(sent).rejects.toThrow('aborted')
    expect(await settled).toEqual([200])
  })

  test('reads X-Token-Count of a streamed response', async () => {
    const { send } = await start(settling, (app) => {
      app.get('/settled', (_, response) => {
        response.set('X-Token-Count', '50')
        response.write('piece ')
        response.end('by piece')
      })
    })
    expect(await (await send('/settled')).text()).toBe('piece by piece')
    expect(await untilSettled(() => send())).toBe('350')
  })
})
