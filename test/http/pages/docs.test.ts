import { Hono } from 'hono'
import { describe, expect, test } from 'vitest'
import type { AppEnv, Assets } from '../../../src/http/app-dependencies.ts'
import { createDocsRoutes } from '../../../src/http/pages/docs.ts'
import { createTestApp } from '../test-app.ts'

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
