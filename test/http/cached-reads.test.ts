import { describe, expect, test } from 'vitest'
import { createReadThroughCache } from '../../src/http/cached-reads.ts'
import { lruCaches } from '../../src/platform/runtime.ts'
import { createTestClock, SECOND } from '../core/test-clock.ts'

const setUp = () => {
  const clock = createTestClock()
  const stored = new Map<string, { readonly owner: string }>()
  const reads: string[] = []
  let beforeResponse = (): void => {}
  const cache = createReadThroughCache<{ readonly owner: string }>({
    clock,
    caches: lruCaches,
    maxAgeMs: 30_000,
    max: 100,
    groupOf: (value) => value.owner,
    read: async (key) => {
      reads.push(key)
      const value = stored.get(key)
      beforeResponse()
      return value
    },
  })
  const during = (act: () => void): void => {
    beforeResponse = act
  }
  return { clock, stored, reads, cache, during }
}

describe('a read-through cache', () => {
  test('reads once within the age, and again after it', async () => {
    const { clock, stored, reads, cache } = setUp()
    stored.set('k', { owner: 'o' })
    await cache.get('k')
    clock.advance(30n * SECOND - 1n)
    expect(await cache.get('k')).toEqual({ owner: 'o' })
    expect(reads).toHaveLength(1)
    clock.advance(1n)
    await cache.get('k')
    expect(reads).toHaveLength(2)
  })

  test('caches that there is nothing', async () => {
    const { reads, cache } = setUp()
    await cache.get('k')
    expect(await cache.get('k')).toBeUndefined()
    expect(reads).toHaveLength(1)
  })

  test('drops a group, and every missing item with it', async () => {
    const { clock, stored, reads, cache } = setUp()
    stored.set('k', { owner: 'o' }).set('other', { owner: 'p' })
    for (const key of ['k', 'other', 'missing']) await cache.get(key)
    clock.advance(1n)
    cache.forget('o')
    clock.advance(1n)
    for (const key of ['k', 'other', 'missing']) await cache.get(key)
    expect(reads).toEqual(['k', 'other', 'missing', 'k', 'missing'])
  })

  test('does not cache a read that overlaps with a change', async () => {
    const { clock, stored, cache, during } = setUp()
    stored.set('k', { owner: 'o' })
    during(() => {
      stored.delete('k')
      clock.advance(1n)
      cache.forget('o')
      clock.advance(1n)
      during(() => {})
    })
    await cache.get('k')
    expect(await cache.get('k')).toBeUndefined()
  })

  test('finds an item that was created after it was missing', async () => {
    const { clock, stored, cache } = setUp()
    await cache.get('k')
    stored.set('k', { owner: 'o' })
    clock.advance(30n * SECOND)
    await cache.get('k')
    expect(await cache.get('k')).toEqual({ owner: 'o' })
  })
})
