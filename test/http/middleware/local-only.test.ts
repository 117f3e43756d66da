import { describe, expect, test } from 'vitest'
import { ADMIN, createTestApp } from '../test-app.ts'

const HOST = 'localhost:8080'
const local = (corsOrigins: readonly string[] = []) =>
  createTestApp({ settings: { isLocalOnly: true, corsOrigins } })
const PATHS = ['/health', '/', '/openapi.json', '/api/entities', '/v1/models', '/nowhere']

describe('with the default tokens', () => {
  test.each(PATHS)('%s refuses a Host of another name, whatever else the request has', async (path) => {
    const { status, headers, body } = await local(['*']).ask('GET', path, {
      headers: { ...ADMIN, host: 'evil.example:8080' },
    })
    expect(status).toBe(403)
    expect(JSON.stringify(body)).toContain('Host must be localhost')
    expect(headers.get('access-control-allow-origin')).toBeNull()
  })

  test.each(PATHS)('%s refuses the Origin of another site, before it is asked too', async (path) => {
    for (const origin of ['https://evil.example', 'http://localhost:3000', 'null']) {
      for (const method of ['GET', 'OPTIONS']) {
        const { status, headers } = await local().ask(method, path, {
          headers: { ...ADMIN, host: HOST, origin },
        })
        expect([status, headers.get('access-control-allow-origin')]).toEqual([403, null])
      }
    }
  })

  test('a refusal has the shape of its route', async () => {
    const headers = { host: HOST, origin: 'null' }
    expect((await local().ask('GET', '/health', { headers })).body).toMatchObject({ error: 'forbidden' })
    expect((await local().ask('GET', '/v1/models', { headers })).body).toMatchObject({
      error: { code: 'forbidden', message: expect.stringContaining('CORS_ORIGINS') },
    })
  })

  test.each(['localhost:8080', '127.0.0.1:8080', '[::1]:8080', 'zael.localhost:8080'])(
    'programs and its own pages at %s are answered',
    async (host) => {
      for (const headers of [{ host }, { host, origin: `http://${host}` }]) {
        expect((await local().ask('GET', '/health', { headers })).status).toBe(200)
      }
    },
  )

  test('origins of CORS_ORIGINS may call', async () => {
    const origin = 'http://localhost:3000'
    const { status, headers } = await local([origin]).ask('GET', '/health', {
      headers: { host: HOST, origin },
    })
    expect([status, headers.get('access-control-allow-origin')]).toEqual([200, origin])
    const preflight = await local(['*']).ask('OPTIONS', '/health', {
      headers: { host: HOST, origin: 'null', 'access-control-request-method': 'GET' },
    })
    expect(preflight.status).toBe(204)
  })
})

test('with tokens of its own, a server answers any Host', async () => {
  const headers = { host: 'api.example', origin: 'https://elsewhere.example' }
  expect((await createTestApp().ask('GET', '/health', { headers })).status).toBe(200)
})
