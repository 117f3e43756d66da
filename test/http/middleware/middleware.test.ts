import { describe, expect, test } from 'vitest'
import { ADMIN, createTestApp } from '../test-app.ts'

describe('every answer', () => {
  test('has a request id: the caller’s own where it is a sensible one', async () => {
    const { ask } = createTestApp()
    const idOf = async (given?: string) => {
      const headers = given === undefined ? {} : { 'x-request-id': given }
      return (await ask('GET', '/health', { headers })).headers.get('x-request-id')
    }
    expect(await idOf('trace-1')).toBe('trace-1')
    expect(await idOf('x'.repeat(200))).toMatch(/^req_/)
    expect(await idOf('a b')).toMatch(/^req_/)
    expect(await idOf()).not.toBe(await idOf())
  })

  test('names the node where it has an id', async () => {
    const named = createTestApp({ settings: { nodeId: 'node-7' } })
    expect((await named.ask('GET', '/nowhere')).headers.get('x-zael-node')).toBe('node-7')
    expect((await createTestApp().ask('GET', '/health')).headers.has('x-zael-node')).toBe(false)
  })

  test.each(['/health', '/nowhere', '/api/entities', '/v1/models'])(
    'of %s is nothing a browser may frame, keep or guess at',
    async (path) => {
      const { headers } = await createTestApp().ask('GET', path)
      expect(headers.get('content-security-policy')).toBe("default-src 'none'; frame-ancestors 'none'")
      expect(headers.get('x-content-type-options')).toBe('nosniff')
      expect(headers.get('cache-control')).toBe('no-store')
    },
  )
})

describe('a browser from elsewhere', () => {
  const app = () => createTestApp({ settings: { corsOrigins: ['https://app.example'] } })
  const from = (origin: string) => ({ ...ADMIN, origin })

  test('may call from an origin that is set, and read the headers, of errors too', async () => {
    for (const path of ['/api/entities', '/nowhere']) {
      const { headers } = await app().ask('GET', path, { headers: from('https://app.example') })
      expect(headers.get('access-control-allow-origin')).toBe('https://app.example')
      const exposed = headers.get('access-control-expose-headers')?.split(',') ?? []
      expect(exposed).toEqual(
        expect.arrayContaining(['x-request-id', 'retry-after', 'ratelimit', 'x-should-retry']),
      )
    }
    const unknown = await app().ask('GET', '/v1/models', { headers: { origin: 'https://app.example' } })
    expect(unknown.status).toBe(401)
    expect(unknown.headers.get('access-control-allow-origin')).toBe('https://app.example')
  })

  test('may ask before it calls, with any header and without a key', async () => {
    const headers = {
      origin: 'https://app.example',
      'access-control-request-method': 'PATCH',
      'access-control-request-headers': 'authorization,x-stainless-os',
    }
    const answer = await app().ask('OPTIONS', '/api/entities/a', { headers })
    expect(answer.status).toBe(204)
    expect(answer.headers.get('access-control-allow-methods')).toContain('PATCH')
    expect(answer.headers.get('access-control-allow-headers')).toContain('x-stainless-os')
  })

  test('may not from another origin, nor from any where none is set', async () => {
    const evil = { headers: from('https://evil.example') }
    expect((await app().ask('GET', '/api/entities', evil)).headers.has('access-control-allow-origin')).toBe(
      false,
    )
    const closed = await createTestApp().ask('GET', '/api/entities', evil)
    expect(closed.headers.has('access-control-allow-origin')).toBe(false)
  })

  test('may from any where the setting says *', async () => {
    const open = createTestApp({ settings: { corsOrigins: ['*'] } })
    const { headers } = await open.ask('GET', '/health', { headers: from('https://any.example') })
    expect(headers.get('access-control-allow-origin')).toBe('*')
  })
})
