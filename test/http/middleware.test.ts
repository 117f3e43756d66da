import { describe, expect, test } from 'vitest'
import { isLoopbackHost, isOwnOrigin } from '../../src/http/middleware.ts'
import { isLoopback } from '../../src/platform/loopback.ts'
import { ADMIN, createTestApp } from './test-app.ts'

describe('every response', () => {
  test('has a request id: the caller’s own if it is valid', async () => {
    const { send } = createTestApp()
    const idOf = async (given?: string) => {
      const headers = given === undefined ? {} : { 'x-request-id': given }
      return (await send('GET', '/health', { headers })).headers.get('x-request-id')
    }
    expect(await idOf('trace-1')).toBe('trace-1')
    expect(await idOf('x'.repeat(200))).toMatch(/^req_/)
    expect(await idOf('a b')).toMatch(/^req_/)
    expect(await idOf()).not.toBe(await idOf())
  })

  test('names the node if it has an id', async () => {
    const named = createTestApp({ settings: { nodeId: 'node-7' } })
    expect((await named.send('GET', '/nowhere')).headers.get('x-zael-node')).toBe('node-7')
    expect((await createTestApp().send('GET', '/health')).headers.has('x-zael-node')).toBe(false)
  })

  const OF_PAGES = [
    'content-security-policy',
    'cross-origin-resource-policy',
    'referrer-policy',
    'x-frame-options',
  ]

  test.each(['/health', '/nowhere', '/api/entities', '/v1/models', '/openapi.json', '/v1/limits/check'])(
    'of %s is JSON that a browser neither stores nor takes for a page, without the headers of pages',
    async (path) => {
      const { headers } = await createTestApp().send('GET', path)
      expect(headers.get('content-type')).toMatch(/^application\/json/)
      expect(headers.get('x-content-type-options')).toBe('nosniff')
      expect(headers.get('cache-control')).toBe('no-store')
      expect(OF_PAGES.filter((name) => headers.has(name))).toEqual([])
    },
  )

  test.each(['/', '/docs', '/redoc', '/dashboard', '/docs/init.js'])(
    'of %s, which a browser displays or runs, has all security headers',
    async (path) => {
      const { headers, status } = await createTestApp().send('GET', path)
      expect(status).toBe(200)
      expect(OF_PAGES.filter((name) => !headers.has(name))).toEqual([])
      expect(headers.get('content-security-policy')).toContain("default-src 'none'")
      expect(headers.get('x-frame-options')).toBe('DENY')
      expect(headers.get('x-content-type-options')).toBe('nosniff')
    },
  )
})

describe('a browser on another origin', () => {
  const app = () => createTestApp({ settings: { corsOrigins: ['https://app.example'] } })
  const from = (origin: string) => ({ ...ADMIN, origin })

  test('can call from a configured origin, and read the headers, including those of errors', async () => {
    for (const path of ['/api/entities', '/nowhere']) {
      const { headers } = await app().send('GET', path, { headers: from('https://app.example') })
      expect(headers.get('access-control-allow-origin')).toBe('https://app.example')
      const exposed = headers.get('access-control-expose-headers')?.split(',') ?? []
      expect(exposed).toEqual(
        expect.arrayContaining(['x-request-id', 'retry-after', 'ratelimit', 'x-should-retry']),
      )
    }
    const unknown = await app().send('GET', '/v1/models', { headers: { origin: 'https://app.example' } })
    expect(unknown.status).toBe(401)
    expect(unknown.headers.get('access-control-allow-origin')).toBe('https://app.example')
  })

  test('can send a preflight request, with any header and without a key', async () => {
    const headers = {
      origin: 'https://app.example',
      'access-control-request-method': 'PATCH',
      'access-control-request-headers': 'authorization,x-stainless-os',
    }
    const response = await app().send('OPTIONS', '/api/entities/a', { headers })
    expect(response.status).toBe(204)
    expect(response.headers.get('access-control-allow-methods')).toContain('PATCH')
    expect(response.headers.get('access-control-allow-headers')).toContain('x-stainless-os')
  })

  test('cannot call from another origin, nor from any if none is configured', async () => {
    const evil = { headers: from('https://evil.example') }
    expect((await app().send('GET', '/api/entities', evil)).headers.has('access-control-allow-origin')).toBe(
      false,
    )
    const closed = await createTestApp().send('GET', '/api/entities', evil)
    expect(closed.headers.has('access-control-allow-origin')).toBe(false)
  })

  test('can call from any origin if the setting is *', async () => {
    const open = createTestApp({ settings: { corsOrigins: ['*'] } })
    const { headers } = await open.send('GET', '/health', { headers: from('https://any.example') })
    expect(headers.get('access-control-allow-origin')).toBe('*')
  })
})

const HOST = 'localhost:8080'

const local = (corsOrigins: readonly string[] = []) =>
  createTestApp({ settings: { isLocalOnly: true, corsOrigins } })

const PATHS = ['/health', '/', '/openapi.json', '/api/entities', '/v1/models', '/nowhere']

describe('with the default tokens', () => {
  test.each(PATHS)('%s rejects a Host of another name, whatever else the request contains', async (path) => {
    const { status, headers, body } = await local(['*']).send('GET', path, {
      headers: { ...ADMIN, host: 'evil.example:8080' },
    })
    expect(status).toBe(403)
    expect(JSON.stringify(body)).toContain('Host must be localhost')
    expect(headers.get('access-control-allow-origin')).toBeNull()
  })

  test.each(PATHS)('%s rejects the Origin of another site, in a preflight request too', async (path) => {
    for (const origin of ['https://evil.example', 'http://localhost:3000', 'null']) {
      for (const method of ['GET', 'OPTIONS']) {
        const { status, headers } = await local().send(method, path, {
          headers: { ...ADMIN, host: HOST, origin },
        })
        expect([status, headers.get('access-control-allow-origin')]).toEqual([403, null])
      }
    }
  })

  test('a rejection has the shape of its route', async () => {
    const headers = { host: HOST, origin: 'null' }
    expect((await local().send('GET', '/health', { headers })).body).toMatchObject({ error: 'forbidden' })
    expect((await local().send('GET', '/v1/models', { headers })).body).toMatchObject({
      error: { code: 'forbidden', message: expect.stringContaining('CORS_ORIGINS') },
    })
  })

  test.each(['localhost:8080', '127.0.0.1:8080', '[::1]:8080', 'zael.localhost:8080'])(
    'programs and its own pages at %s are answered',
    async (host) => {
      for (const headers of [{ host }, { host, origin: `http://${host}` }]) {
        expect((await local().send('GET', '/health', { headers })).status).toBe(200)
      }
    },
  )

  test('origins of CORS_ORIGINS can call', async () => {
    const origin = 'http://localhost:3000'
    const { status, headers } = await local([origin]).send('GET', '/health', {
      headers: { host: HOST, origin },
    })
    expect([status, headers.get('access-control-allow-origin')]).toEqual([200, origin])
    const preflight = await local(['*']).send('OPTIONS', '/health', {
      headers: { host: HOST, origin: 'null', 'access-control-request-method': 'GET' },
    })
    expect(preflight.status).toBe(204)
  })
})

test('with its own tokens, a server accepts any Host', async () => {
  const headers = { host: 'api.example', origin: 'https://elsewhere.example' }
  expect((await createTestApp().send('GET', '/health', { headers })).status).toBe(200)
})

test.each([
  'localhost',
  'localhost:8080',
  'LOCALHOST:8080',
  'localhost.',
  'api.localhost:8080',
  '127.0.0.1',
  '127.0.0.1:8080',
  '127.255.1.2:1',
  '[::1]',
  '[::1]:8080',
  '[0:0:0:0:0:0:0:1]:8080',
])('%s is a loopback name', (host) => {
  expect(isLoopbackHost(host)).toBe(true)
})

test.each([
  '',
  'evil.example',
  'evil.example:8080',
  'localhost.evil.example',
  'evil-localhost',
  '127.0.0.1.nip.io',
  '127.evil.example',
  '128.0.0.1',
  '0.0.0.0',
  '192.168.0.2:8080',
  '[::2]',
  '[::ffff:10.0.0.1]',
  '::1',
  'localhost@evil.example',
  'evil.example/localhost',
  'evil.example#.localhost',
  'localhost, evil.example',
])('%s is not a loopback name', (host) => {
  expect(isLoopbackHost(host)).toBe(false)
})

test.each(['::1', '[::1]', 'LocalHost', 'a.b.localhost.', '127.0.0.1'])(
  '%s without a port is this machine',
  (host) => {
    expect(isLoopback(host)).toBe(true)
  },
)

test.each([
  '',
  '.localhost',
  'localhost:8080',
  '::',
  '[::1]:1',
  '127.0.0.1.example',
  'x127.0.0.1',
  '0.0.0.0',
  'a\nlocalhost',
])('%j without a port is not a loopback name', (host) => {
  expect(isLoopback(host)).toBe(false)
})

test.each<[origin: string, host: string, isOwn: boolean]>([
  ['http://localhost:8080', 'localhost:8080', true],
  ['http://LOCALHOST:8080', 'localhost:8080', true],
  ['http://[::1]:8080', '[::1]:8080', true],
  ['http://localhost', 'localhost:80', true],
  ['https://localhost', 'localhost', true],
  ['http://localhost:3000', 'localhost:8080', false],
  ['http://127.0.0.1:8080', 'localhost:8080', false],
  ['http://evil.example', 'localhost:8080', false],
  ['null', 'localhost:8080', false],
  ['', 'localhost:8080', false],
  ['file://', 'localhost', false],
])('the origin %s on the host %s is its own: %s', (origin, host, isOwn) => {
  expect(isOwnOrigin(origin, host)).toBe(isOwn)
})
