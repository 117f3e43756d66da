import { describe, expect, test } from 'vitest'
import { trafficResponse } from '../../../src/contract/dashboard.ts'
import type { UsagePoint, UsageQuery } from '../../../src/core/model/usage.ts'
import { type EntityUsage, trafficOf } from '../../../src/http/dashboard/traffic.ts'
import { SECOND } from '../../core/test-clock.ts'
import { createMemoryUsageStore } from '../../support/memory-usage-store.ts'
import { asDescribed } from '../as-described.ts'
import { createTestApp, type TestApp, VIEWER } from '../test-app.ts'

describe('the traffic', () => {
  const HOUR = 3600
  const START = 100 * HOUR
  const PERIOD = { granularity: 'hour', from: START, to: START + 3 * HOUR } as const

  interface Counted {
    readonly requests?: number
    readonly denied?: number
    readonly hour?: number
    readonly resource?: string
  }

  const point = ({ requests = 0, denied = 0, hour = 0, resource = 'gpt-4' }: Counted): UsagePoint => ({
    start: START + hour * HOUR,
    resource,
    used: { requests, tokens: 0, input_tokens: 0, output_tokens: 0, cost_usd_micros: 0 },
    denied,
  })

  const usage = (id: string, parentId: string | null, ...counted: readonly Counted[]): EntityUsage => ({
    entity: { id, name: `The ${id}`, parentId },
    points: counted.map(point),
  })

  describe('traffic', () => {
    test('has every hour of the period, and sums resources', () => {
      const { points, admitted, denied } = trafficOf(
        [usage('bob', null, { requests: 2 }, { requests: 3, resource: 'gpt-4o' }, { denied: 4, hour: 2 })],
        PERIOD,
      )
      expect(points).toEqual([
        { start: START, admitted: 5, denied: 0 },
        { start: START + HOUR, admitted: 0, denied: 0 },
        { start: START + 2 * HOUR, admitted: 0, denied: 4 },
      ])
      expect({ admitted, denied }).toEqual({ admitted: 5, denied: 4 })
    })

    test.each([
      ['a parent that counts nothing', 0, 5],
      ['a parent that counts what its children use', 5, 5],
      ['a parent that counts what one of its children uses', 2, 5],
      ['a parent that counts what its children use, and calls itself', 7, 7],
      ['a parent that still counts what a deleted child used', 6, 6],
    ])('counts each request once: %s', (_, ofParent, admitted) => {
      const usages = [
        usage('org', null, { requests: ofParent, denied: 1 }),
        usage('bob', 'org', { requests: 2, denied: 1 }),
        usage('eve', 'org', { requests: 3, denied: 1 }),
      ]
      expect(trafficOf(usages, PERIOD)).toMatchObject({ admitted, denied: 3 })
    })

    test('counts each request once through several generations', () => {
      const usages = [
        usage('org', null, { requests: 9 }),
        usage('team', 'org'),
        usage('bob', 'team', { requests: 4 }),
        usage('eve', 'team', { requests: 5 }),
      ]
      expect(trafficOf(usages, PERIOD).admitted).toBe(9)
    })

    test('counts an entity whose parent was not read', () => {
      expect(trafficOf([usage('bob', 'org', { requests: 4 })], PERIOD).admitted).toBe(4)
    })

    test('names the most denied entities, with their share, and at most twenty', () => {
      const others = Array.from({ length: 25 }, (_, place) => usage(`key-${place + 10}`, null, { denied: 1 }))
      const { top_denied } = trafficOf(
        [...others, usage('bob', null, { denied: 50 }, { denied: 25 })],
        PERIOD,
      )
      expect(top_denied.length).toBe(20)
      expect(top_denied[0]).toEqual({ entity_id: 'bob', name: 'The bob', denied: 75, share_percent: 75 })
      expect(top_denied[1]).toMatchObject({ entity_id: 'key-10', share_percent: 1 })
    })

    test('is empty without entities', () => {
      expect(trafficOf([], PERIOD)).toMatchObject({ admitted: 0, denied: 0, top_denied: [] })
      expect(trafficOf([usage('bob', null, { requests: 1 })], PERIOD).top_denied).toEqual([])
    })
  })
})

describe('the route of statistics', () => {
  const NOW = 1_767_225_600
  const HOUR = 3600
  const DAY = 24 * HOUR

  const addEntities = async ({ send }: TestApp, ...ids: readonly string[]) => {
    for (const id of ids) await send('POST', '/api/entities', { body: { entity_id: id, name: `The ${id}` } })
  }

  const withUsage = async () => {
    const usage = createMemoryUsageStore()
    const queries: UsageQuery[] = []
    const app = createTestApp({
      usage: {
        usage(query) {
          queries.push(query)
          return usage.usage(query)
        },
      },
    })
    await addEntities(app, 'bob', 'eve')
    const record = (entityId: string, hourStart: number, counts: { requests?: bigint; denied?: bigint }) => {
      const { requests = 0n, denied = 0n } = counts
      const to = { used_requests: requests, denied }
      const from = { used_requests: 0n, denied: 0n }
      return usage.record({ entityId, resource: 'gpt-4', born: 1n, hourStart, rev: 1n, from, to })
    }
    const stats = async (search = '') =>
      asDescribed(await app.send('GET', `/api/dashboard/stats${search}`), trafficResponse)
    return { ...app, record, stats, queries }
  }

  describe('the stats', () => {
    test('show the last day by hour, to a viewer too', async () => {
      const { send, record } = await withUsage()
      await record('bob', NOW, { requests: 10n, denied: 4n })
      await record('eve', NOW - 23 * HOUR, { requests: 1n, denied: 1n })
      await record('eve', NOW - 24 * HOUR, { requests: 100n })
      const response = asDescribed(
        await send('GET', '/api/dashboard/stats', { headers: VIEWER }),
        trafficResponse,
      )
      expect(response).toMatchObject({
        granularity: 'hour',
        read_at: NOW,
        entities_read: 2,
        is_partial: false,
        admitted: 11,
        denied: 5,
        top_denied: [
          { entity_id: 'bob', name: 'The bob', denied: 4, share_percent: 80 },
          { entity_id: 'eve', name: 'The eve', denied: 1, share_percent: 20 },
        ],
      })
      expect(response.points.length).toBe(24)
      expect(response.points[0]).toEqual({ start: NOW - 23 * HOUR, admitted: 1, denied: 1 })
      expect(response.points[23]).toEqual({ start: NOW, admitted: 10, denied: 4 })
    })

    test('show the last 30 days by day', async () => {
      const { record, stats } = await withUsage()
      await record('bob', NOW - 29 * DAY + HOUR, { requests: 3n })
      await record('bob', NOW - 29 * DAY + 2 * HOUR, { requests: 4n })
      const { points, admitted } = await stats('?granularity=day')
      expect(points.length).toBe(30)
      expect(points[0]).toEqual({ start: NOW - 29 * DAY, admitted: 7, denied: 0 })
      expect(admitted).toBe(7)
    })

    test('are read once for all requests within half a minute', async () => {
      const { record, stats, queries, clock } = await withUsage()
      await Promise.all([stats(), stats('?granularity=hour'), stats()])
      expect(queries.length).toBe(2)
      await record('bob', NOW, { requests: 10n })
      clock.advance(29n * SECOND)
      expect((await stats()).admitted).toBe(0)
      clock.advance(SECOND)
      expect((await stats()).admitted).toBe(10)
      expect(queries.length).toBe(4)
    })

    test('reject another granularity', async () => {
      const { send } = await withUsage()
      const response = await send('GET', '/api/dashboard/stats?granularity=week')
      expect(response).toMatchObject({ status: 400, body: { field: 'granularity' } })
    })

    test('are read again after a failure', async () => {
      const { send, store, stats } = await withUsage()
      store.isUnavailable = true
      expect((await send('GET', '/api/dashboard/stats')).status).toBe(503)
      store.isUnavailable = false
      expect((await stats()).entities_read).toBe(2)
    })
  })

  describe('the stats of many entities', () => {
    const withMany = async (count: number, usage: (query: UsageQuery) => Promise<[]>) => {
      const app = createTestApp({ usage: { usage } })
      const ids = Array.from({ length: count }, (_, place) => `key-${place + 1000}`)
      await addEntities(app, ...ids)
      const stats = async () => asDescribed(await app.send('GET', '/api/dashboard/stats'), trafficResponse)
      return { ...app, stats }
    }

    test('cover 500, read 4 at a time, and return that number', async () => {
      let [underWay, most, read] = [0, 0, 0]
      const { stats } = await withMany(501, async () => {
        underWay += 1
        most = Math.max(most, underWay)
        read += 1
        await Promise.resolve()
        underWay -= 1
        return []
      })
      expect(await stats()).toMatchObject({ entities_read: 500, is_partial: true })
      expect({ most, read }).toEqual({ most: 4, read: 500 })
    })

    test('cover those that could be read in five seconds', async () => {
      const { stats, clock } = await withMany(100, async () => {
        clock.advance(SECOND / 10n)
        return []
      })
      expect(await stats()).toMatchObject({ entities_read: 50, is_partial: true })
    })
  })
})
