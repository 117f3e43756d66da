import { describe, expect, test } from 'vitest'
import { auditResponse } from '../../../src/contract/history.ts'
import { StoreUnavailable } from '../../../src/core/model/errors.ts'
import { SECOND } from '../../core/test-clock.ts'
import { asDescribed } from '../as-described.ts'
import { createTestApp, VIEWER } from '../test-app.ts'

describe('the audit log', () => {
  const withHistory = async () => {
    const app = createTestApp()
    await app.send('POST', '/api/entities', { body: { entity_id: 'a', name: 'A' } })
    app.clock.advance(10n * SECOND)
    await app.send('POST', '/api/entities', { body: { entity_id: 'b', name: 'B' } })
    app.clock.advance(1n)
    await app.send('PATCH', '/api/entities/a', { body: { name: 'AA' } })
    const audit = async (search = '') =>
      asDescribed(await app.send('GET', `/api/audit${search}`), auditResponse)
    return { ...app, audit }
  }

  test('the audit log lists who changed what, newest first, with the state before and after', async () => {
    const { items } = await (await withHistory()).audit()
    expect(items.map(({ action, subject }) => `${action} ${subject}`)).toEqual([
      'entity.change a',
      'entity.create b',
      'entity.create a',
    ])
    expect(items[0]).toMatchObject({
      actor: 'admin',
      at: 1_767_225_610,
      before: { name: 'A' },
      after: { name: 'AA' },
    })
  })

  test('the audit log is filtered by entity and by `from`', async () => {
    const { audit } = await withHistory()
    expect((await audit('?entity_id=a')).items).toHaveLength(2)
    expect((await audit('?entity_id=a&from=1767225601')).items).toHaveLength(1)
  })

  test('the audit log is paged', async () => {
    const { audit } = await withHistory()
    const first = await audit('?limit=2')
    expect(first.items).toHaveLength(2)
    const rest = await audit(`?limit=2&cursor=${first.next_cursor}`)
    expect(rest).toMatchObject({ items: [{ action: 'entity.create', subject: 'a' }], next_cursor: null })
  })
})

describe('the health of a node', () => {
  describe.each(['/health', '/healthz'])('%s', (path) => {
    test('returns node and version without a key and without a read of the table', async () => {
      const { send, store } = createTestApp({ settings: { nodeId: 'node-7' } })
      store.isUnavailable = true
      const { status, body } = await send('GET', path, { headers: {} })
      expect({ status, body }).toEqual({
        status: 200,
        body: { status: 'ok', node_id: 'node-7', version: '1.2.3' },
      })
    })

    test('reads the table if requested', async () => {
      const { send, store, clock } = createTestApp()
      expect((await send('GET', `${path}?deep=1`)).status).toBe(200)
      store.isUnavailable = true
      clock.advance(SECOND)
      expect(await send('GET', `${path}?deep=1`)).toMatchObject({
        status: 503,
        body: { status: 'unavailable', reason: 'The table cannot be reached' },
      })
    })
  })

  describe('the deep check', () => {
    test('shares one read among all requests within a second', async () => {
      let reads = 0
      const { send, clock } = createTestApp({ checkHealth: async () => void reads++ })
      const deep = () => send('GET', '/health?deep=1', { headers: {} })
      await Promise.all([deep(), deep(), send('GET', '/healthz?deep=1', { headers: {} })])
      clock.advance(SECOND - 1n)
      await deep()
      expect(reads).toBe(1)
      clock.advance(1n)
      await deep()
      expect(reads).toBe(2)
    })

    test('shares a read that takes longer than a second', async () => {
      let release = (): void => {}
      const promise = new Promise<void>((resolve) => {
        release = resolve
      })
      let reads = 0
      const checkHealth = (): Promise<void> => {
        reads++
        return promise
      }
      const { send, clock } = createTestApp({ checkHealth })
      const first = send('GET', '/health?deep=1')
      clock.advance(5n * SECOND)
      const second = send('GET', '/health?deep=1')
      release()
      expect([(await first).status, (await second).status, reads]).toEqual([200, 200, 1])
    })

    test('reads once per second even if the read fails unexpectedly', async () => {
      let reads = 0
      const { send, clock } = createTestApp({
        checkHealth: async () => {
          reads++
          throw new Error('a defect')
        },
      })
      const deep = async () => (await send('GET', '/health?deep=1', { headers: {} })).status
      expect([await deep(), await deep(), reads]).toEqual([500, 500, 1])
      clock.advance(SECOND)
      expect([await deep(), reads]).toEqual([500, 2])
    })

    test('names the clock if it is the reason, and nothing of the store', async () => {
      const error = new StoreUnavailable('away', {
        mayHaveApplied: false,
        isClockOff: true,
        reason: 'secret',
      })
      const { send } = createTestApp({ checkHealth: () => Promise.reject(error) })
      expect(await send('GET', '/health?deep=1', { headers: {} })).toMatchObject({
        status: 503,
        body: {
          status: 'unavailable',
          reason: "The clock of this machine differs too much from the table's",
        },
      })
    })
  })

  describe('/metrics', () => {
    test('is Prometheus text for admins and viewers', async () => {
      const { send } = createTestApp({ metricsText: async () => 'zael_decisions_allowed 3\n' })
      const { status, headers, body } = await send('GET', '/metrics', { headers: VIEWER })
      expect({ status, body }).toEqual({ status: 200, body: 'zael_decisions_allowed 3\n' })
      expect(headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
      expect((await send('GET', '/metrics', { headers: {} })).status).toBe(401)
    })

    test('is not found if metrics are off', async () => {
      expect((await createTestApp().send('GET', '/metrics')).status).toBe(404)
    })
  })

  test('/ lists only existing routes', async () => {
    const { app, send } = createTestApp()
    const html = await (await app.request('/')).text()
    const places = [...html.matchAll(/href="\.\/([^"]+)"/g)].map(([, place]) => place)
    expect(places).toEqual(expect.arrayContaining(['dashboard', 'docs', 'redoc', 'openapi.json', 'health']))
    for (const place of places) {
      expect({ place, status: (await send('GET', `/${place}`)).status }).toEqual({ place, status: 200 })
    }
  })
})
