import { describe, expect, test } from 'vitest'
import { ACCESS, accessTo } from '../../../src/http/auth/access.ts'
import { createTestApp, VIEWER } from '../test-app.ts'

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']
const SECRET = 'a-secret-of-key-1'

const started = () => createTestApp({ metricsText: async () => '' })

/** Every route of the app, with a path that matches it. Middleware is registered for all methods. */
const routesOf = ({ app }: ReturnType<typeof started>) =>
  app.routes
    .filter(({ method }) => METHODS.includes(method))
    .map(({ method, path }) => ({ method, path: path.replace(/:\w+(\{[^}]*\})?/g, 'x') }))

const withCaller = async () => {
  const api = started()
  await api.send('POST', '/api/entities', { body: { entity_id: 'key', name: 'Key' } })
  await api.send('POST', '/api/entities/key/keys', { body: { secret: SECRET } })
  api.clock.advance(1n)
  return api
}

describe('the access table', () => {
  test('lists every route', () => {
    const routes = routesOf(started())
    expect(routes.length).toBeGreaterThan(50)
    expect(routes.filter(({ path }) => accessTo(path) === undefined)).toEqual([])
  })

  test('lists nothing without a route', () => {
    const paths = routesOf(started()).map(({ path }) => path)
    const unused = Object.keys(ACCESS).filter(
      (pattern) => !paths.some((path) => path === pattern || path.startsWith(pattern.replace('/*', '/'))),
    )
    expect(unused).toEqual([])
  })

  test.each(['/v1', '/v1/', '/v1/any', '/v1/a/b'])('gives %s to callers', (path) =>
    expect(accessTo(path)).toBe('callers'),
  )

  test.each(['/v1any', '/V1/models', '//v1/models', '/metrics/x', '/health/', '/any'])(
    'does not list %s',
    (path) => expect(accessTo(path)).toBeUndefined(),
  )
})

describe('a request without a key', () => {
  test('reaches the open routes and no other', async () => {
    const api = started()
    for (const { method, path } of routesOf(api)) {
      const { status } = await api.send(method, path, { headers: {}, env: addressOf(path + method) })
      expect({ method, path, is401: status === 401 }).toEqual({
        method,
        path,
        is401: accessTo(path) !== 'open',
      })
    }
  })

  test.each([
    ['/nowhere', 404],
    ['/v1', 401],
    ['/v1/nowhere', 401],
    ['/api', 401],
    ['/api/nowhere', 401],
    ['/rate-limit/nowhere', 401],
    ['/docs/nowhere', 404],
    ['/metrics/nowhere', 404],
  ])('to %s, which has no route, gets %i', async (path, status) => {
    expect((await started().send('GET', path, { headers: {} })).status).toBe(status)
  })

  test('gets 404 for the metrics of a process without any', async () => {
    expect((await createTestApp().send('GET', '/metrics', { headers: {} })).status).toBe(404)
  })
})

describe('a route that the table does not list', () => {
  /** A router accepts no route after its first request, so the key is created through another app on the same table. */
  const withUnlisted = async () => {
    const { table } = await withCaller()
    const api = createTestApp({ table })
    api.app.get('/unlisted/:id', (c) => c.text('secret'))
    api.app.all('/for-all-methods', (c) => c.text('secret'))
    api.app.on('PURGE', '/for-one-method', (c) => c.text('secret'))
    return api
  }

  test.each([
    ['GET', '/unlisted/1'],
    ['HEAD', '/unlisted/1'],
    ['POST', '/unlisted/1'],
    ['GET', '/for-all-methods'],
    ['PURGE', '/for-one-method'],
  ])('returns 401 for %s %s without a token', async (method, path) => {
    const { status, body } = await (await withUnlisted()).send(method, path, { headers: {} })
    expect(status).toBe(401)
    if (method !== 'HEAD') expect(body).toMatchObject({ error: 'unauthorized' })
  })

  test('is for admins, and for viewers that read', async () => {
    const { send } = await withUnlisted()
    expect((await send('GET', '/unlisted/1', { headers: { 'x-api-key': SECRET } })).status).toBe(403)
    expect((await send('GET', '/unlisted/1')).body).toBe('secret')
    expect((await send('GET', '/unlisted/1', { headers: VIEWER })).body).toBe('secret')
    expect((await send('DELETE', '/for-all-methods', { headers: VIEWER })).status).toBe(403)
    expect((await send('POST', '/unlisted/1')).status).toBe(405)
  })
})

/** A separate address for each request: failed authentications are limited per address. */
const addressOf = (text: string) => ({ incoming: { socket: { remoteAddress: text } } })
