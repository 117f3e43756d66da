import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { expect, onTestFinished, test } from 'vitest'
import { createFastifyApp } from '../../examples/other-frameworks/fastify.ts'
import { createKoaApp } from '../../examples/other-frameworks/koa.ts'
import { createRoute } from '../../examples/other-frameworks/next-route.ts'
import { silentLogger } from '../../src/core/ports/platform.ts'
import { createTestClock, SECOND } from '../core/test-clock.ts'

/** Serves on a free loopback port; returns a function that sends a request. */
const listen = async (listener: RequestListener) => {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  return () => fetch(`http://127.0.0.1:${port}/`)
}

const FRAMEWORKS = {
  async fastify(options: Parameters<typeof createFastifyApp>[0]) {
    const app = createFastifyApp(options)
    const url = await app.listen({ host: '127.0.0.1', port: 0 })
    onTestFinished(() => app.close())
    return () => fetch(url, { headers: { connection: 'close' } })
  },
  koa: (options: Parameters<typeof createKoaApp>[0]) => listen(createKoaApp(options).callback()),
  async next(options: Parameters<typeof createRoute>[0]) {
    const { GET } = createRoute(options)
    return () => GET(new Request('http://localhost/api/hello', { headers: { 'x-api-key': 'key-1' } }))
  },
}

test.each(Object.entries(FRAMEWORKS))(
  '%s denies the eleventh request, with the time to wait',
  async (name, start) => {
    const clock = createTestClock()
    const send = await start({ clock, logger: silentLogger })
    for (let left = 9; left >= 0; left--) {
      const response = await send()
      expect(response.status).toBe(200)
      expect(response.headers.get('ratelimit')).toBe(left > 0 ? `"rps";r=${left}` : '"rps";r=0;t=1')
      expect(await response.json()).toEqual({ hello: name })
    }
    const denied = await send()
    expect(denied.status).toBe(429)
    expect(denied.headers.get('content-type')).toMatch(/^application\/json/)
    expect(denied.headers.get('retry-after-ms')).toBe('500')
    expect(denied.headers.get('ratelimit-policy')).toBe('"rps";q=10;w=5')
    expect(await denied.json()).toMatchObject({ error: 'rate_limit_exceeded', retry_after_seconds: 0.5 })
    clock.advance(SECOND / 2n)
    expect((await send()).status).toBe(200)
  },
)

test('a route of Next.js rejects a request without a key, and limits each key', async () => {
  const { GET } = createRoute({ clock: createTestClock(), logger: silentLogger })
  const get = async (headers: Record<string, string>) =>
    (await GET(new Request('http://localhost/api/hello', { headers }))).status
  expect(await get({})).toBe(401)
  for (let i = 0; i < 10; i++) await get({ 'x-api-key': 'a' })
  expect(await get({ 'x-api-key': 'a' })).toBe(429)
  expect(await get({ 'x-api-key': 'b' })).toBe(200)
})
