import { gunzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { createTestApp, VIEWER } from '../test-app.ts'

/** The references of the page, as a browser below a stage resolves them. */
const namedBy = (html: string): readonly string[] =>
  [...html.matchAll(/(?:href|src)="(\.\/dashboard\/[^"]+)"/g)].map(
    ([, url = '']) => new URL(url, 'https://api.example/prod/dashboard').pathname,
  )

describe('the dashboard', () => {
  test('is public, and refers to existing files that can be cached forever, also below a stage', async () => {
    const { app } = createTestApp()
    const response = await app.request('/dashboard')
    expect(response.status).toBe(200)
    expect(response.headers.get('cache-control')).toBe('no-cache')
    const named = namedBy(await response.text())
    expect(named.length).toBe(2)
    for (const path of named) {
      expect(path).toMatch(/^\/prod\//)
      const file = await app.request(path.slice('/prod'.length))
      expect({ path, status: file.status }).toEqual({ path, status: 200 })
      expect(file.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
    }
  })

  test('allows only its own scripts and styles, and connects to no other host', async () => {
    const response = await createTestApp().app.request('/dashboard')
    const policy = response.headers.get('content-security-policy') ?? ''
    expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self';")
    expect(policy).not.toMatch(/http|unsafe/)
    expect(await response.text()).not.toMatch(/<script(?![^>]*src=)|<style|\son\w+=/)
  })

  test('is compressed for clients that accept it, with the same content', async () => {
    const { app } = createTestApp()
    const plain = await app.request('/dashboard')
    const packed = await app.request('/dashboard', { headers: { 'accept-encoding': 'br, gzip' } })
    expect(plain.headers.get('content-encoding')).toBeNull()
    expect(packed.headers.get('content-encoding')).toBe('gzip')
    expect(packed.headers.get('vary')).toContain('accept-encoding')
    expect(gunzipSync(await packed.arrayBuffer()).toString()).toBe(await plain.text())
  })

  test.each([
    'index.html',
    'dashboard.js',
    'dashboard-AAAAAAAA.js',
    '..%2F..%2Fpackage.json',
    'dashboard-AAAAAAAA.js.gz',
  ])('has no %s', async (name) => {
    const response = await createTestApp().app.request(`/dashboard/${name}`)
    expect(response.status).toBe(404)
    expect(await response.json()).toMatchObject({ error: 'not_found' })
  })

  test('is also served with a trailing slash', async () => {
    const response = await createTestApp().app.request('/dashboard/')
    expect(
      new URL(response.headers.get('location') ?? '', 'https://a.example/prod/dashboard/').pathname,
    ).toBe('/prod/dashboard')
  })
})

test('the session contains the signed-in role, and whether the stream continues', async () => {
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
