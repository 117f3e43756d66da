import { Hono } from 'hono'
import { describe, expect, test } from 'vitest'
import type { AppEnv, Assets } from '../../../src/http/app-dependencies.ts'
import { createDocsRoutes } from '../../../src/http/pages/docs.ts'
import { createTestApp } from '../test-app.ts'

/** Every address a page names, as a browser below a stage resolves it. */
const addresses = (html: string, page: string): readonly URL[] =>
  [...html.matchAll(/(?:href|src|spec-url)="([^"]+)"/g)].map(([, url = '']) => new URL(url, page))

const STAGE = 'https://api.example/prod'

describe.each(['/docs', '/redoc'])('%s', (path) => {
  test('needs no key, and takes everything from beside itself', async () => {
    const { app } = createTestApp()
    const answer = await app.request(path)
    expect(answer.headers.get('content-type')).toContain('text/html')
    const named = addresses(await answer.text(), `${STAGE}${path}`)
    expect(named.length).toBeGreaterThan(1)
    for (const { href } of named) {
      expect(href).toMatch(/^https:\/\/api\.example\/prod\//)
      const file = await app.request(href.slice(STAGE.length))
      expect({ href, status: file.status }).toEqual({ href, status: 200 })
      expect((await file.arrayBuffer()).byteLength).toBeGreaterThan(100)
    }
  })

  test('lets no other host in, and no inline script', async () => {
    const { app } = createTestApp()
    const answer = await app.request(path)
    const policy = answer.headers.get('content-security-policy') ?? ''
    expect(policy).toContain("default-src 'none'")
    expect(policy).toContain("script-src 'self';")
    expect(policy).not.toContain('http')
    expect(await answer.text()).not.toMatch(/<script(?![^>]*src=)/)
  })

  test('is found with a slash behind it too', async () => {
    const answer = await createTestApp().app.request(`${path}/`)
    expect(answer.status).toBe(302)
    expect(new URL(answer.headers.get('location') ?? '', `${STAGE}${path}/`).href).toBe(`${STAGE}${path}`)
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

  test('has its type, and may be kept', async () => {
    const { headers } = await createTestApp().app.request('/docs/swagger-ui.css')
    expect(headers.get('content-type')).toBe('text/css; charset=utf-8')
    expect(headers.get('cache-control')).toBe('public, max-age=3600')
  })

  test('that is not carried is not found', async () => {
    expect(await (await withAssets({}).request('/docs/swagger-ui.css')).text()).toContain('does not carry')
  })

  test('beside those is not served', async () => {
    const { send } = createTestApp()
    for (const path of ['/docs/package.json', '/docs/..%2f..%2fpackage.json', '/redoc/x']) {
      expect((await send('GET', path)).status).toBe(404)
    }
  })

  test('makes the document once, and tries again where that failed', async () => {
    let times = 0
    const app = withAssets({
      openApiDocument: async () => {
        times += 1
        if (times === 1) throw new Error('not yet')
        return { times }
      },
    })
    const answers = []
    for (let i = 0; i < 3; i += 1) answers.push(await (await app.request('/openapi.json')).text())
    expect(answers).toEqual(['not yet', '{"times":2}', '{"times":2}'])
  })
})
