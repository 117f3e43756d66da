import { describe, expect, test } from 'vitest'
import type { BucketStore } from '../../../src/core/bucket/bucket-store.ts'
import { createMemoryBucketStore } from '../../../src/store/memory/bucket-store.ts'
import { SECOND } from '../../core/test-clock.ts'
import { createTestApp, type TestApp, VIEWER } from '../test-app.ts'

/** Opens the stream; `next` is its next event or comment, as text. */
const openStream = async ({ app }: TestApp, search = '') => {
  const response = await app.request(`/api/dashboard/stream${search}`, { headers: VIEWER })
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
  if (reader === undefined) throw new Error('no body')
  let text = ''
  const next = async (): Promise<string | undefined> => {
    for (;;) {
      const end = text.indexOf('\n\n')
      if (end >= 0) {
        const event = text.slice(0, end)
        text = text.slice(end + 2)
        return event
      }
      const { done, value } = await reader.read()
      if (done) return undefined
      text += value
    }
  }
  const nextEntities = async () => {
    const data = /^data: (.*)$/m.exec((await next()) ?? '')?.[1] ?? 'null'
    const body: { entities: { entity_id: string }[]; removed?: string[] } | null = JSON.parse(data)
    return { ids: body?.entities.map(({ entity_id }) => entity_id), removed: body?.removed }
  }
  return { response, next, nextEntities, close: () => reader.cancel() }
}

/** Counts how often the buckets of an entity are read. */
const withEntities = async (...ids: readonly string[]) => {
  const buckets = createMemoryBucketStore()
  const reads = new Map<string, number>()
  const counting: BucketStore = {
    ...buckets,
    list(entityId) {
      reads.set(entityId, (reads.get(entityId) ?? 0) + 1)
      return buckets.list(entityId)
    },
  }
  const app = createTestApp({ table: { buckets: counting } })
  for (const id of ids) await app.send('POST', '/api/entities', { body: { entity_id: id, name: id } })
  const use = (id: string) => app.deps.limiter.decide({ entityId: id, cost: { requests: 1 }, settles: false })
  return { ...app, use, readsOf: (id: string) => reads.get(id) ?? 0 }
}

describe('the stream', () => {
  test('sends all entities, then only changed ones, and names deleted ones', async () => {
    const app = await withEntities('a', 'b', 'c')
    const stream = await openStream(app)
    expect(stream.response.headers.get('content-type')).toBe('text/event-stream')
    expect((await stream.nextEntities()).ids).toEqual(['a', 'b', 'c'])
    await app.use('b')
    app.clock.advance(SECOND / 100n)
    expect(await stream.nextEntities()).toEqual({ ids: ['b'], removed: [] })
    await app.send('DELETE', '/api/entities/c')
    app.clock.advance(SECOND / 100n)
    expect(await stream.nextEntities()).toEqual({ ids: [], removed: ['c'] })
    await stream.close()
  })

  test('reads once for all its viewers', async () => {
    const app = await withEntities('a')
    const streams = await Promise.all(Array.from({ length: 30 }, () => openStream(app)))
    for (const stream of streams) await stream.nextEntities()
    expect(app.readsOf('a')).toBe(1)
    await app.use('a')
    app.clock.advance(SECOND / 100n)
    for (const stream of streams) expect((await stream.nextEntities()).ids).toEqual(['a'])
    expect(app.readsOf('a')).toBe(2)
    expect(app.store.calls.get('listEntities')).toBe(1)
    for (const stream of streams) await stream.close()
  })

  test('reads an entity once for viewers of different pages', async () => {
    const app = await withEntities('a', 'b', 'c')
    const searches = ['', '?limit=1', '?limit=2', '?q=a', '?q=A', '?limit=7']
    const streams = await Promise.all(searches.map((search) => openStream(app, search)))
    for (const stream of streams) expect((await stream.nextEntities()).ids).toContain('a')
    expect(app.readsOf('a')).toBe(1)
    await app.use('a')
    app.clock.advance(SECOND / 100n)
    for (const stream of streams) expect((await stream.nextEntities()).ids).toEqual(['a'])
    expect([app.readsOf('a'), app.readsOf('b'), app.readsOf('c')]).toEqual([2, 2, 2])
    for (const stream of streams) await stream.close()
  })

  test('is not shared with requests that do not stream', async () => {
    const app = await withEntities('a')
    const stream = await openStream(app)
    await stream.nextEntities()
    const ofA = async () => (await app.send('GET', '/api/dashboard/entities')).body
    const before = await ofA()
    await app.use('a')
    expect(await ofA()).not.toEqual(before)
    await stream.close()
  })

  test('lists the entities created by another node every five seconds', async () => {
    const app = await withEntities('a')
    const other = createTestApp({ table: app.table })
    const stream = await openStream(app)
    await stream.next()
    await other.send('POST', '/api/entities', { body: { entity_id: 'b', name: 'b' } })
    app.clock.advance(5n * SECOND)
    expect((await stream.nextEntities()).ids).toEqual(['b'])
    await app.send('POST', '/api/entities', { body: { entity_id: 'c', name: 'c' } })
    app.clock.advance(SECOND / 100n)
    expect((await stream.nextEntities()).ids).toEqual(['c'])
    await stream.close()
  })

  test('sends a comment if nothing changes for long', async () => {
    const app = await withEntities('a')
    const stream = await openStream(app)
    await stream.next()
    app.clock.advance(15n * SECOND)
    expect(await stream.next()).toBe(': heartbeat')
    await stream.close()
  })

  test('continues while the store is unavailable', async () => {
    const app = await withEntities('a')
    const stream = await openStream(app)
    await stream.next()
    app.store.isUnavailable = true
    app.clock.advance(15n * SECOND)
    expect(await stream.next()).toBe(': heartbeat')
    app.store.isUnavailable = false
    await app.use('a')
    app.clock.advance(SECOND / 100n)
    expect((await stream.nextEntities()).ids).toEqual(['a'])
    await stream.close()
  })

  test('does not start while the store is unavailable', async () => {
    const app = await withEntities('a')
    app.store.isUnavailable = true
    expect((await app.send('GET', '/api/dashboard/stream')).status).toBe(503)
  })

  test('stops reading when its viewer disconnects', async () => {
    const app = await withEntities('a')
    const gone = await openStream(app, '?q=a')
    await gone.next()
    await gone.close()
    const other = await openStream(app)
    await other.next()
    for (let beats = 0; beats < 3; beats += 1) {
      app.clock.advance(15n * SECOND)
      expect(await other.next()).toBe(': heartbeat')
    }
    await other.close()
    expect(app.store.calls.get('listEntities')).toBe(1 + 1 + 3)
    expect(app.readsOf('a')).toBe(1 + 3)
  })

  test('sends everything once and ends if nothing may run in the background', async () => {
    const app = createTestApp({ settings: { streamIntervalMs: null } })
    const stream = await openStream(app)
    expect(await stream.next()).toContain('event: entities')
    expect(await stream.next()).toBeUndefined()
  })
})
