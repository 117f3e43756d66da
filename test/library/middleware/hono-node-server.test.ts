import { once } from 'node:events'
import { request } from 'node:http'
import { serve } from '@hono/node-server'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import { type Context, type Handler, Hono, type MiddlewareHandler } from 'hono'
import { HTTPException } from 'hono/http-exception'
import { stream } from 'hono/streaming'
import { afterEach, describe, expect, test } from 'vitest'
import { rateLimit } from '../../../src/library/hono.ts'
import { byJsonUsage, type RateLimitOptions, silentLogger } from '../../../src/library/index.ts'
import { createTestClock } from '../../core/test-clock.ts'

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

/** The URL of a Node server that runs `app`. */
const start = (app: Hono): Promise<string> =>
  new Promise((resolve) => {
    const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 }, ({ port }) => {
      closing.push(() => new Promise((closed) => void server.close(() => closed())))
      resolve(`http://127.0.0.1:${port}`)
    })
  })

const get = async (url: string) => {
  const response = await fetch(url, { headers: { connection: 'close' }, redirect: 'manual' })
  return {
    status: response.status,
    headers: Object.fromEntries(response.headers),
    text: await response.text(),
  }
}

type Options = Partial<RateLimitOptions<Context>>

const limiting = (options: Options = {}): MiddlewareHandler =>
  rateLimit({
    limits: [{ name: 'rps', capacity: 10, refill_rate: 2 }],
    clock: createTestClock(),
    logger: silentLogger,
    ...options,
  })

/** The response of an app to its first request, which a limiter allows. */
const respond = async (handler: Handler, ...inner: MiddlewareHandler[]) => {
  const app = new Hono().use(limiting(), ...inner).get('/', handler)
  return get(await start(app))
}

const DESCRIBED = { ratelimit: '"rps";r=9', 'ratelimit-policy': '"rps";q=10;w=5' }

describe('headers are on a response', () => {
  test.each<[string, Handler, number, string]>([
    ['of text', (c) => c.text('text'), 200, 'text'],
    ['of JSON', (c) => c.json([1]), 200, '[1]'],
    ['without a body', (c) => c.body(null, 204), 204, ''],
    ['that the handler creates', () => new Response('own', { status: 201 }), 201, 'own'],
    ['of JSON that the handler creates', () => Response.json([2]), 200, '[2]'],
    ['whose headers are immutable', () => Response.redirect('http://127.0.0.1/', 302), 302, ''],
    ['that streams', (c) => stream(c, async (to) => void (await to.write('streamed'))), 200, 'streamed'],
    [
      'that streams and that the handler creates',
      () => new Response(new Blob(['blob']).stream()),
      200,
      'blob',
    ],
    ['that there is no route for', (c) => c.notFound(), 404, '404 Not Found'],
  ])('%s', async (_, handler, status, text) => {
    const response = await respond(handler)
    expect([response.status, response.text]).toEqual([status, text])
    expect(response.headers).toMatchObject(DESCRIBED)
  })

  test.each<[string, (app: Hono) => void, string]>([
    ['of the default error handler', () => {}, 'Internal Server Error'],
    ['of an error handler', (app) => void app.onError((_, c) => c.text('sorry', 500)), 'sorry'],
    [
      'that an error handler creates',
      (app) => void app.onError(() => new Response('own', { status: 500 })),
      'own',
    ],
  ])('%s', async (_, prepare, text) => {
    const app = new Hono().use(limiting())
    prepare(app)
    app.get('/', () => {
      throw Object.assign(new HTTPException(500, { message: 'Internal Server Error' }))
    })
    const response = await get(await start(app))
    expect([response.status, response.text]).toEqual([500, text])
    expect(response.headers).toMatchObject(DESCRIBED)
  })

  test('of another server, in place of its own limits', async () => {
    const other = await start(
      new Hono().get('/', (c) => c.text('other', 200, { ratelimit: '"theirs";r=1', 'x-other': 'yes' })),
    )
    const response = await respond(() => fetch(other))
    expect(response.text).toBe('other')
    expect(response.headers).toMatchObject({ ...DESCRIBED, 'x-other': 'yes' })
  })

  test.each<[string, (c: Context) => void]>([
    [
      'replaces it',
      (c) => {
        c.res = new Response('replaced')
      },
    ],
    [
      'replaces it without its headers',
      (c) => {
        c.res = undefined
        c.res = new Response('replaced')
      },
    ],
  ])('if a middleware %s', async (_, replace) => {
    const response = await respond(
      (c) => c.text('first'),
      async (c, next) => {
        await next()
        replace(c)
      },
    )
    expect(response.text).toBe('replaced')
    expect(response.headers).toMatchObject(DESCRIBED)
  })
})

test('a response that Hono builds is not copied', async () => {
  let built: Response | undefined
  let sent: Response | undefined
  const app = new Hono()
  app.use(async (c, next) => {
    await next()
    sent = c.res
  })
  app.use(limiting())
  app.get('/', (c) => {
    built = c.text('text')
    return built
  })
  expect((await get(await start(app))).headers).toMatchObject(DESCRIBED)
  expect(sent).toBeDefined()
  expect(sent).toBe(built)
})

test('a response that the handler uses again gets no headers of another request', async () => {
  const shared = new Response(null, { status: 204 })
  const app = new Hono()
  app.get('/limited', limiting(), () => shared)
  app.get('/free', () => shared)
  const url = await start(app)
  expect((await get(`${url}/limited`)).headers).toMatchObject(DESCRIBED)
  expect((await get(`${url}/free`)).headers).not.toHaveProperty('ratelimit')
})

test('a response that the handler has sent itself is left alone', async () => {
  // of Node's own class, as in an app, whose modules are loaded before a server replaces the global class
  const NodeResponse = (await fetch('data:,')).constructor
  const alreadySent: Response = Reflect.construct(NodeResponse, [null, RESPONSE_ALREADY_SENT])
  let last: Response | undefined
  const app = new Hono()
  app.use(async (c, next) => {
    await next()
    last = c.res
  })
  app.use(limiting())
  app.get('/', (c: Context) => {
    c.env.outgoing.writeHead(200, { 'x-own': 'yes' })
    c.env.outgoing.end('sent')
    return alreadySent
  })
  expect(await get(await start(app))).toMatchObject({
    status: 200,
    text: 'sent',
    headers: { 'x-own': 'yes' },
  })
  expect(last).toBe(alreadySent)
})

test('a response that switches protocols is left alone', async () => {
  const headers = { connection: 'upgrade', upgrade: 'echo' }
  const app = new Hono().use(limiting()).get('/', () => new Response(null, { status: 101, headers }))
  const sent = request(await start(app), { headers })
  sent.end()
  // `response` instead: the server closes the connection of a response that it cannot build again
  sent.once('response', (response) => sent.emit('upgrade', response, response.socket))
  const [response, socket] = await once(sent, 'upgrade')
  socket.destroy()
  expect(response.statusCode).toBe(101)
  expect(response.headers.upgrade).toBe('echo')
})

describe('several limiters on one request', () => {
  const GENERAL: Options = { limits: [{ name: 'rpm', capacity: 100, refill_rate: 1 }] }
  const STRICT: Options = { limits: [{ name: 'rps', capacity: 2, refill_rate: 0.1 }] }
  const ORDERS: [string, Options, Options][] = [
    ['the strict one inside', GENERAL, STRICT],
    ['the strict one outside', STRICT, GENERAL],
  ]

  test.each(ORDERS)('describe the tightest, then the one that denies: %s', async (_, outer, inner) => {
    const both: Options = { headers: ['ietf', 'x-ratelimit'] }
    for (const handler of [(c: Context) => c.text('hono'), () => new Response('own')]) {
      const app = new Hono().use(limiting({ ...outer, ...both }), limiting(inner)).get('/', handler)
      const url = await start(app)
      const [first, , third] = [await get(url), await get(url), await get(url)]
      expect(first.headers).toMatchObject({ ratelimit: '"rps";r=1', 'ratelimit-policy': '"rps";q=2;w=20' })
      expect(third).toMatchObject({
        status: 429,
        headers: { ratelimit: '"rps";r=0;t=10', 'retry-after': '10' },
      })
      expect('x-ratelimit-limit' in first.headers).toBe(outer === STRICT)
      expect(third.headers['x-ratelimit-limit']).toBe(outer === STRICT ? '2' : undefined)
    }
  })
})

test('a response is settled by its JSON, whether Hono or the handler created it', async () => {
  const limits = [{ name: 'tpm', capacity: 1000, refill_rate: 1 }]
  const app = new Hono().use(limiting({ limits, cost: { tokens: 100 }, settle: byJsonUsage }))
  app.get('/hono', (c) => c.json({ usage: { total_tokens: 30 } }))
  app.get('/own', () => Response.json({ usage: { total_tokens: 20 } }))
  const url = await start(app)
  expect(await get(`${url}/hono`)).toMatchObject({
    text: '{"usage":{"total_tokens":30}}',
    headers: { ratelimit: '"tpm";r=900' },
  })
  expect((await get(`${url}/own`)).headers.ratelimit).toBe('"tpm";r=870')
  expect((await get(`${url}/hono`)).headers.ratelimit).toBe('"tpm";r=850')
})
