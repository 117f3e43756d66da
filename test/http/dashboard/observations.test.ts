import { describe, expect, test } from 'vitest'
import type { BucketStatus } from '../../../src/core/decide/inspector.ts'
import { StoreUnavailable, ZaelError } from '../../../src/core/model/errors.ts'
import { createObservations, MAX_REREADS } from '../../../src/http/dashboard/observations.ts'
import { lruCaches } from '../../../src/platform/runtime.ts'
import { createTestClock, SECOND } from '../../core/test-clock.ts'

/** Observations of entities, with counted readings that end when the test releases them. */
const world = ({ maxAgeMs = 1000 } = {}) => {
  const clock = createTestClock()
  const reads: string[] = []
  const prepared: (readonly string[])[] = []
  const state = { isUnavailable: false, gone: '', atOnce: 0, mostAtOnce: 0 }
  const limiter = {
    async prepareObserving(entityIds: readonly string[]) {
      prepared.push(entityIds)
    },
    async observe(entityId: string) {
      reads.push(entityId)
      state.atOnce += 1
      state.mostAtOnce = Math.max(state.mostAtOnce, state.atOnce)
      await new Promise((resolve) => setImmediate(resolve))
      state.atOnce -= 1
      if (state.isUnavailable) throw new StoreUnavailable('away', { mayHaveApplied: false })
      if (state.gone === entityId) throw new ZaelError('not_found', 'it is gone')
      const readAt = clock.monotonic()
      return (): BucketStatus => ({
        bucket: { kind: 'entity', entityId, resource: String(readAt) },
        resource: '_default_',
        limits: [],
        used: {},
      })
    },
  }
  const observations = createObservations({ limiter, clock, caches: lruCaches, maxAgeMs })
  return { ...observations, clock, reads, prepared, state }
}

const many = (count: number) => Array.from({ length: count }, (_, at) => `e${at}`)

describe('observations', () => {
  test('are shared by all requests within the interval, whatever else they read', async () => {
    const { of, reads, clock } = world()
    await Promise.all([of(['a', 'b']), of(['b', 'c']), of(['c', 'a'])])
    clock.advance(SECOND - 1n)
    await of(['a', 'b', 'c'])
    expect(reads.toSorted()).toEqual(['a', 'b', 'c'])
    clock.advance(1n)
    await Promise.all([of(['a', 'b']), of(['b', 'c'])])
    expect(reads.slice(3).toSorted()).toEqual(['a', 'b', 'c'])
  })

  test('are made a few at a time', async () => {
    const { of, state } = world()
    await Promise.all([of(many(200)), of(many(300))])
    expect(state.mostAtOnce).toBe(10)
  })

  test('are prepared for fifty entities together', async () => {
    const { of, prepared } = world()
    await of(many(120))
    expect(prepared.map(({ length }) => length)).toEqual([50, 50, 20])
    expect(prepared.flat()).toEqual(many(120))
  })

  test('of a large set are made in turn after all are cached, the oldest first', async () => {
    const { of, reads, clock } = world()
    const ids = many(3 * MAX_REREADS)
    await of(ids)
    expect(reads.length).toBe(ids.length)
    for (let turn = 1; turn <= 3; turn += 1) {
      clock.advance(SECOND)
      await Promise.all([of(ids), of(ids.slice(0, 9)), of(ids.toReversed())])
      expect(reads.length).toBe(ids.length + turn * MAX_REREADS)
    }
    expect(new Set(reads.slice(ids.length)).size).toBe(ids.length)
  })

  test('are made every time if nothing is shared', async () => {
    const { of, reads } = world({ maxAgeMs: 0 })
    await of(many(MAX_REREADS + 1))
    await of(many(MAX_REREADS + 1))
    expect(reads.length).toBe(2 * (MAX_REREADS + 1))
  })

  test('contain deleted entities', async () => {
    const { of, state } = world()
    state.gone = 'b'
    const [a, b] = await of(['a', 'b'])
    expect([a === undefined, b === undefined]).toEqual([false, true])
  })

  test('fail while the store is unavailable, and are made again afterwards', async () => {
    const { of, state } = world()
    state.isUnavailable = true
    await expect(of(['a', 'b'])).rejects.toThrow(StoreUnavailable)
    state.isUnavailable = false
    expect((await of(['a', 'b'])).every((observed) => observed !== undefined)).toBe(true)
  })
})
