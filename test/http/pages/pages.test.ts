import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { Hono } from 'hono'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { AppEnv, Assets } from '../../../src/http/app-dependencies.ts'
import { createDirectoryAssets } from '../../../src/http/pages/directory-assets.ts'
import { createDocsRoutes } from '../../../src/http/pages/docs.ts'
import { createTestApp, VIEWER } from '../test-app.ts'

describe('the assets of a directory', () => {
  let directory: string

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'zael-assets-'))
    await writeFile(join(directory, 'openapi.json'), '{"openapi":"3.1.0"}')
    await writeFile(join(directory, 'swagger-ui.css'), 'css')
  })

  afterAll(() => rm(directory, { recursive: true }))

  test('the assets contain the files of a bundle, and the document built with it', async () => {
    const assets = createDirectoryAssets(directory)
    expect(Buffer.from((await assets.docsFile('swagger-ui.css')) ?? []).toString()).toBe('css')
    expect(await assets.docsFile('redoc.standalone.js')).toBeUndefined()
    expect(await assets.openApiDocument(new Hono())).toEqual({ openapi: '3.1.0' })
  })
})

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

/** Every URL on a page, as a browser below a stage resolves it. */
const addresses = (html: string, page: string): readonly URL[] =>
  [...html.matchAll(/(?:href|src|spec-url)="([^"]+)"/g)].map(([, url = '']) => new URL(url, page))

const STAGE = 'https://api.example/prod'

describe.each(['/docs', '/redoc'])('%s', (path) => {
  test('needs no key, and loads only files beside it', async () => {
    const { app } = createTestApp()
    const response = await app.request(path)
    expect(response.headers.get('content-type')).toContain('text/html')
    const named = addresses(await response.text(), `${STAGE}${path}`)
    expect(named.length).toBeGreaterThan(1)
    for (const { href } of named) {
      expect(href).toMatch(/^https:\/\/api\.example\/prod\//)
      const file = await app.request(href.slice(STAGE.length))
      expect({ href, status: file.status }).toEqual({ href, status: 200 })
      expect((await file.arrayBuffer()).byteLength).toBeGreaterThan(100)
    }
  })

  test('allows neither other hosts nor inline scripts', async () => {
    const { app } = createTestApp()
    const response = await app.request(path)
    const policy = response.headers.get('content-security-policy') ?? ''
    expect(policy).toContain("default-src 'none'")
    expect(policy).toContain("script-src 'self';")
    expect(policy).not.toContain('http')
    expect(await response.text()).not.toMatch(/<script(?![^>]*src=)/)
  })

  test('is also served with a trailing slash', async () => {
    const response = await createTestApp().app.request(`${path}/`)
    expect(response.status).toBe(302)
    expect(new URL(response.headers.get('location') ?? '', `${STAGE}${path}/`).href).toBe(`${STAGE}${path}`)
  })
})

describe('a file of the docs', () => {
  const withAssets = (assets: Partial<Assets>) => {
    const none: Assets = {
      docsFile: async () => undefined,
      dashboardFile: async () => undefined,
      openApiDocument: async () => ({}),
    }
    const app: Hono<AppEnv> = new Hono<AppEnv>().onError((error, c) => c.text(error.message, 500))
    return app.route(
      '/',
      createDocsRoutes({ ...none, ...assets }, () => app),
    )
  }

  test('has its type, and can be cached', async () => {
    const { headers } = await createTestApp().app.request('/docs/swagger-ui.css')
    expect(headers.get('content-type')).toBe('text/css; charset=utf-8')
    expect(headers.get('cache-control')).toBe('public, max-age=3600')
  })

  test('is not found if it does not exist', async () => {
    expect(await (await withAssets({}).request('/docs/swagger-ui.css')).text()).toContain('does not carry')
  })

  test('is not served if it is beside the allowed ones', async () => {
    const { send } = createTestApp()
    for (const path of ['/docs/package.json', '/docs/..%2f..%2fpackage.json', '/redoc/x']) {
      expect((await send('GET', path)).status).toBe(404)
    }
  })

  test('is generated once, and again after a failure', async () => {
    let times = 0
    const app = withAssets({
      openApiDocument: async () => {
        times += 1
        if (times === 1) throw new Error('not yet')
        return { times }
      },
    })
    const responses = []
    for (let i = 0; i < 3; i += 1) responses.push(await (await app.request('/openapi.json')).text())
    expect(responses).toEqual(['not yet', '{"times":2}', '{"times":2}'])
  })
})
