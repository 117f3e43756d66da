import { describe, expect, test } from 'vitest'
import { createReadThroughCache, createSharedReads, sharedRead } from '../../src/http/cached-reads.ts'
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

describe('a shared read', () => {
  const reader = () => {
    const pending: { readonly resolve: (value: number) => void; readonly reject: (error: Error) => void }[] =
      []
    const read = () => new Promise<number>((resolve, reject) => pending.push({ resolve, reject }))
    return { pending, read }
  }

  test('is shared while it is in flight, however long that takes, and until its age', async () => {
    const clock = createTestClock()
    const { pending, read } = reader()
    const shared = sharedRead(read, { clock, ms: 1000 })
    const first = shared()
    clock.advance(5n * SECOND)
    expect(shared()).toBe(first)
    pending[0]?.resolve(1)
    expect(await first).toBe(1)
    const second = shared()
    clock.advance(SECOND - 1n)
    pending[1]?.resolve(2)
    expect(await second).toBe(2)
    expect(shared()).toBe(second)
    clock.advance(1n)
    expect(shared()).not.toBe(second)
    expect(pending.length).toBe(3)
  })

  test('is not shared with an age of 0', () => {
    const { pending, read } = reader()
    const shared = sharedRead(read, { clock: createTestClock(), ms: 0 })
    expect(shared()).not.toBe(shared())
    expect(pending.length).toBe(2)
  })

  test('is shared forever without an age, and read again after a failure', async () => {
    const { pending, read } = reader()
    const shared = sharedRead(read)
    const failing = shared()
    pending[0]?.reject(new Error('lost'))
    await expect(failing).rejects.toThrow('lost')
    const second = shared()
    pending[1]?.resolve(2)
    expect(await second).toBe(2)
    expect(shared()).toBe(second)
    expect(pending.length).toBe(2)
  })

  test('that fails late does not drop its successor', async () => {
    const clock = createTestClock()
    const { pending, read } = reader()
    const shared = sharedRead(read, { clock, ms: 0 })
    const [early, late] = [shared(), shared()]
    pending[1]?.resolve(2)
    pending[0]?.reject(new Error('lost'))
    await expect(early).rejects.toThrow('lost')
    expect(await late).toBe(2)
  })

  test('by key is separate for each key', async () => {
    const read: string[] = []
    const reads = createSharedReads({
      caches: lruCaches,
      maxAge: { clock: createTestClock(), ms: 1000 },
      keyOf: ({ id }: { readonly id: string }) => id,
      read: async ({ id }) => {
        read.push(id)
        return id
      },
    })
    expect(await Promise.all(['a', 'b', 'a'].map((id) => reads({ id })))).toEqual(['a', 'b', 'a'])
    expect(read).toEqual(['a', 'b'])
  })
})
