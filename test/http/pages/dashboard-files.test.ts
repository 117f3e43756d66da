import { gunzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { createTestApp, VIEWER } from '../test-app.ts'

/** Names that the page names, as a browser below a stage resolves them. */
const namedBy = (html: string): readonly string[] =>
  [...html.matchAll(/(?:href|src)="(\.\/dashboard\/[^"]+)"/g)].map(
    ([, url = '']) => new URL(url, 'https://api.example/prod/dashboard').pathname,
  )

describe('the page', () => {
  test('is open, and names files that are there and may be kept for ever, also below a stage', async () => {
    const { app } = createTestApp()
    const answer = await app.request('/dashboard')
    expect(answer.status).toBe(200)
    expect(answer.headers.get('cache-control')).toBe('no-cache')
    const named = namedBy(await answer.text())
    expect(named.length).toBe(2)
    for (const path of named) {
      expect(path).toMatch(/^\/prod\//)
      const file = await app.request(path.slice('/prod'.length))
      expect({ path, status: file.status }).toEqual({ path, status: 200 })
      expect(file.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
    }
  })

  test('lets no script or style in but its own, and asks no other host', async () => {
    const answer = await createTestApp().app.request('/dashboard')
    const policy = answer.headers.get('content-security-policy') ?? ''
    expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self';")
    expect(policy).not.toMatch(/http|unsafe/)
    expect(await answer.text()).not.toMatch(/<script(?![^>]*src=)|<style|\son\w+=/)
  })

  test('comes compressed to whoever takes that, and is the same', async () => {
    const { app } = createTestApp()
    const plain = await app.request('/dashboard')
    const packed = await app.request('/dashboard', { headers: { 'accept-encoding': 'br, gzip' } })
    expect(plain.headers.get('content-encoding')).toBeNull()
    expect(packed.headers.get('content-encoding')).toBe('gzip')
    expect(packed.headers.get('vary')).toContain('accept-encoding')
    expect(gunzipSync(await packed.arrayBuffer()).toString()).toBe(await plain.text())
  })

  test.each(['index.html', 'page.js', 'page-AAAAAAAA.js', '..%2F..%2Fpackage.json', 'page-AAAAAAAA.js.gz'])(
    'has no %s',
    async (name) => {
      const answer = await createTestApp().app.request(`/dashboard/${name}`)
      expect(answer.status).toBe(404)
      expect(await answer.json()).toMatchObject({ error: 'not_found' })
    },
  )

  test('is found with a slash behind it too', async () => {
    const answer = await createTestApp().app.request('/dashboard/')
    expect(new URL(answer.headers.get('location') ?? '', 'https://a.example/prod/dashboard/').pathname).toBe(
      '/prod/dashboard',
    )
  })
})

test('tells the page who is signed in, and whether the stream goes on', async () => {
  const { send } = createTestApp({ settings: { nodeId: 'node-1' } })
  expect((await send('GET', '/api/dashboard/session')).body).toEqual({
    role: 'admin',
    streams: true,
    node_id: 'node-1',
    version: '1.2.3',
    default_model: 'gpt-4',
  })
  expect((await send('GET', '/api/dashboard/session', { headers: VIEWER })).body).toMatchObject({
    role: 'viewer',
  })
  const onLambda = createTestApp({ settings: { streamIntervalMs: null } })
  expect((await onLambda.send('GET', '/api/dashboard/session')).body).toMatchObject({ streams: false })
})
