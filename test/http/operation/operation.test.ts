import { describe, expect, test } from 'vitest'
import { createTestApp, VIEWER } from '../test-app.ts'

describe.each(['/health', '/healthz'])('%s', (path) => {
  test('tells node and version without a key, and does not ask the table', async () => {
    const { ask, store } = createTestApp({ settings: { nodeId: 'node-7' } })
    store.away = true
    const { status, body } = await ask('GET', path, { headers: {} })
    expect({ status, body }).toEqual({
      status: 200,
      body: { status: 'ok', node_id: 'node-7', version: '1.2.3' },
    })
  })

  test('asks the table where it is told to', async () => {
    const { ask, store } = createTestApp()
    expect((await ask('GET', `${path}?deep=1`)).status).toBe(200)
    store.away = true
    expect(await ask('GET', `${path}?deep=1`)).toMatchObject({ status: 503, body: { status: 'unavailable' } })
  })
})

describe('/metrics', () => {
  test('is Prometheus text for admins and viewers', async () => {
    const { ask } = createTestApp({ metricsText: async () => 'zael_decisions_allowed 3\n' })
    const { status, headers, body } = await ask('GET', '/metrics', { headers: VIEWER })
    expect({ status, body }).toEqual({ status: 200, body: 'zael_decisions_allowed 3\n' })
    expect(headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
    expect((await ask('GET', '/metrics', { headers: {} })).status).toBe(401)
  })

  test('is not there where nobody collects', async () => {
    expect((await createTestApp().ask('GET', '/metrics')).status).toBe(404)
  })
})

test('/ lists what there is, each of it there', async () => {
  const { app, ask } = createTestApp()
  const html = await (await app.request('/')).text()
  const places = [...html.matchAll(/href="\.\/([^"]+)"/g)].map(([, place]) => place)
  expect(places).toEqual(expect.arrayContaining(['dashboard', 'docs', 'redoc', 'openapi.json', 'health']))
  for (const place of places) {
    expect({ place, status: (await ask('GET', `/${place}`)).status }).toEqual({ place, status: 200 })
  }
})
