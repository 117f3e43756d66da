import { describe, expect, test } from 'vitest'
import { StoreUnavailable } from '../../../src/core/model/errors.ts'
import { createCachedReads } from '../../../src/core/ports/cached-reads.ts'
import { lruCaches } from '../../../src/platform/runtime.ts'
import { createTestClock, SECOND } from '../test-clock.ts'

const MAX_AGE = 30n * SECOND

interface Owned {
  readonly owner: string
}

const setUp = ({ max = 100, isStaleAllowed = false } = {}) => {
  const clock = createTestClock()
  const stored = new Map<string, Owned>()
  const reads: string[] = []
  let beforeResponse = (): void => {}
  const cache = createCachedReads<string, Owned | undefined>({
    clock,
    caches: lruCaches,
    max,
    isStaleAllowed,
    keyOf: (key) => key,
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
  return { clock, stored, reads, cache, get: (key: string) => cache.get(key, MAX_AGE), during }
}

/** Reads that the test ends one by one. */
const held = () => {
  const clock = createTestClock()
  const pending: { readonly resolve: (value: number) => void; readonly reject: (error: Error) => void }[] = []
  const cache = createCachedReads<string, number>({
    clock,
    caches: lruCaches,
    max: 100,
    keyOf: (key) => key,
    read: () => new Promise((resolve, reject) => pending.push({ resolve, reject })),
  })
  return { clock, pending, cache, get: async (maxAgeNs: bigint) => cache.get('k', maxAgeNs) }
}

describe('cached reads', () => {
  test('read once within the age, and again after it', async () => {
    const { clock, stored, reads, get } = setUp()
    stored.set('k', { owner: 'o' })
    await get('k')
    clock.advance(30n * SECOND - 1n)
    expect(await get('k')).toEqual({ owner: 'o' })
    expect(reads).toHaveLength(1)
    clock.advance(1n)
    await get('k')
    expect(reads).toHaveLength(2)
  })

  test('return a cached value without a promise', async () => {
    const { stored, get } = setUp()
    stored.set('k', { owner: 'o' })
    expect(get('k')).toBeInstanceOf(Promise)
    await get('k')
    expect(get('k')).toEqual({ owner: 'o' })
  })

  test('cache that there is nothing', async () => {
    const { reads, get } = setUp()
    await get('k')
    expect(await get('k')).toBeUndefined()
    expect(reads).toHaveLength(1)
  })

  test('of missing keys displace no values', async () => {
    const { stored, reads, get } = setUp({ max: 10 })
    stored.set('k', { owner: 'o' })
    await get('k')
    for (let i = 0; i < 20; i += 1) await get(`missing-${i}`)
    expect(reads.length).toBe(21)
    await get('k')
    expect(reads.length).toBe(21)
  })

  test('drop a group, and every missing item with it', async () => {
    const { clock, stored, reads, cache, get } = setUp()
    stored.set('k', { owner: 'o' }).set('other', { owner: 'p' })
    for (const key of ['k', 'other', 'missing']) await get(key)
    clock.advance(1n)
    cache.forget('o')
    clock.advance(1n)
    for (const key of ['k', 'other', 'missing']) await get(key)
    expect(reads).toEqual(['k', 'other', 'missing', 'k', 'missing'])
  })

  test('drop every value without a group, and after more groups than there may be values', async () => {
    const { stored, reads, cache, get } = setUp({ max: 3 })
    stored.set('k', { owner: 'o' })
    await get('k')
    cache.forget()
    await get('k')
    expect(reads).toHaveLength(2)
    for (const group of ['a', 'b', 'c']) cache.forget(group)
    await get('k')
    expect(reads).toHaveLength(2)
    cache.forget('d')
    await get('k')
    expect(reads).toHaveLength(3)
  })

  test('do not cache a read that overlaps with a change', async () => {
    const { clock, stored, cache, get, during } = setUp()
    stored.set('k', { owner: 'o' })
    during(() => {
      stored.delete('k')
      clock.advance(1n)
      cache.forget('o')
      clock.advance(1n)
      during(() => {})
    })
    await get('k')
    expect(await get('k')).toBeUndefined()
  })

  test('find an item that was created after it was missing', async () => {
    const { clock, stored, get } = setUp()
    await get('k')
    stored.set('k', { owner: 'o' })
    clock.advance(30n * SECOND)
    await get('k')
    expect(await get('k')).toEqual({ owner: 'o' })
  })

  test('report which values are current', async () => {
    const { clock, stored, cache, get } = setUp()
    stored.set('k', { owner: 'o' })
    await get('k')
    const first = cache.cached('k')
    if (first === undefined) throw new Error('k is not cached')
    expect(cache.isCurrent(first)).toBe(true)
    clock.advance(30n * SECOND)
    await get('k')
    expect(cache.isCurrent(first)).toBe(false)
    const second = cache.cached('k')
    if (second === undefined) throw new Error('k is not cached')
    expect([cache.isCurrent(second), second.readNs - first.readNs]).toEqual([true, 30n * SECOND])
    cache.forget()
    expect([cache.isCurrent(second), cache.cached('k')]).toEqual([false, undefined])
  })
})

describe('a read in progress', () => {
  test('is shared, however long it takes', async () => {
    const { clock, pending, get } = held()
    const first = get(SECOND)
    clock.advance(5n * SECOND)
    const second = get(SECOND)
    pending[0]?.resolve(1)
    expect([await first, await second, pending.length]).toEqual([1, 1, 1])
  })

  test('is shared only with calls that accept its age, and with none that accepts no age', async () => {
    const { pending, get } = held()
    const reads = [get(2n * SECOND), get(SECOND), get(2n * SECOND), get(0n), get(0n)]
    expect(pending.length).toBe(4)
    for (const [index, { resolve }] of pending.entries()) resolve(index)
    expect(await Promise.all(reads)).toEqual([0, 1, 1, 2, 3])
  })

  test('is not shared after a change of any group', async () => {
    const { pending, cache, get } = held()
    const before = get(SECOND)
    cache.forget('another group')
    const after = get(SECOND)
    pending[0]?.resolve(1)
    pending[1]?.resolve(2)
    expect([await before, await after]).toEqual([1, 2])
  })

  test('is not cached after everything was dropped', async () => {
    const { pending, cache, get } = held()
    const before = get(SECOND)
    cache.forget()
    const after = get(SECOND)
    pending[1]?.resolve(2)
    expect(await after).toBe(2)
    pending[0]?.resolve(1)
    expect([await before, cache.get('k', SECOND)]).toEqual([1, 2])
  })

  test('that ends late does not replace a later one', async () => {
    const { clock, pending, cache, get } = held()
    const early = get(0n)
    clock.advance(1n)
    const late = get(0n)
    pending[1]?.resolve(2)
    expect(await late).toBe(2)
    pending[0]?.resolve(1)
    expect(await early).toBe(1)
    expect(cache.get('k', SECOND)).toBe(2)
  })

  test('that fails late does not drop its successor', async () => {
    const { clock, pending, cache, get } = held()
    const early = get(0n)
    clock.advance(1n)
    const late = get(0n)
    pending[1]?.resolve(2)
    pending[0]?.reject(new Error('lost'))
    await expect(early).rejects.toThrow('lost')
    expect(await late).toBe(2)
    expect(cache.get('k', SECOND)).toBe(2)
  })

  test('that failed is not cached', async () => {
    const { pending, get } = held()
    const failing = get(SECOND)
    pending[0]?.reject(new Error('lost'))
    await expect(failing).rejects.toThrow('lost')
    const second = get(SECOND)
    pending[1]?.resolve(2)
    expect(await second).toBe(2)
  })
})

describe('while the store is unavailable', () => {
  const unavailable = (): never => {
    throw new StoreUnavailable('unavailable', { mayHaveApplied: false })
  }

  test('values of any age are returned where that is allowed, and none that was dropped', async () => {
    const { clock, stored, cache, get, during } = setUp({ isStaleAllowed: true })
    stored.set('k', { owner: 'o' })
    await get('k')
    clock.advance(100n * SECOND)
    during(unavailable)
    expect(await get('k')).toEqual({ owner: 'o' })
    await expect(get('other')).rejects.toThrow(StoreUnavailable)
    cache.forget('o')
    await expect(get('k')).rejects.toThrow(StoreUnavailable)
  })

  test('other errors are thrown all the same', async () => {
    const { clock, stored, get, during } = setUp({ isStaleAllowed: true })
    stored.set('k', { owner: 'o' })
    await get('k')
    clock.advance(100n * SECOND)
    during(() => {
      throw new Error('rejected')
    })
    await expect(get('k')).rejects.toThrow('rejected')
  })

  test('reads fail by default', async () => {
    const { clock, stored, get, during } = setUp()
    stored.set('k', { owner: 'o' })
    await get('k')
    clock.advance(100n * SECOND)
    during(unavailable)
    await expect(get('k')).rejects.toThrow(StoreUnavailable)
  })
})

describe('many reads', () => {
  const batches = (readAll: (keys: readonly string[]) => readonly string[]) => {
    const calls: string[] = []
    const cache = createCachedReads<string, string>({
      clock: createTestClock(),
      caches: lruCaches,
      max: 100,
      keyOf: (key) => key,
      read: async (key) => {
        calls.push(`one: ${key}`)
        return key.toUpperCase()
      },
      readAll: async (keys) => {
        calls.push(`all: ${keys.join()}`)
        return readAll(keys)
      },
    })
    const getAll = async (keys: readonly string[]) =>
      (await cache.getAll(keys, SECOND)).map(({ value }) => value)
    return { calls, getAll }
  }
  const upper = (keys: readonly string[]) => keys.map((key) => key.toUpperCase())

  test('are one call, in the order of the requests, for what is missing', async () => {
    const { calls, getAll } = batches(upper)
    expect(await getAll(['b', 'a'])).toEqual(['B', 'A'])
    expect(await getAll(['a', 'c', 'b', 'd'])).toEqual(['A', 'C', 'B', 'D'])
    expect(await getAll(['d', 'e'])).toEqual(['D', 'E'])
    expect(await getAll(['a', 'b', 'c', 'd', 'e'])).toEqual(['A', 'B', 'C', 'D', 'E'])
    expect(calls).toEqual(['all: b,a', 'all: c,d', 'one: e'])
  })

  test('share the values that another call reads', async () => {
    const { calls, getAll } = batches(upper)
    expect(await Promise.all([getAll(['a', 'b']), getAll(['b', 'c', 'd'])])).toEqual([
      ['A', 'B'],
      ['B', 'C', 'D'],
    ])
    expect(calls).toEqual(['all: a,b', 'all: c,d'])
  })

  test('fail if a value is missing in the response', async () => {
    await expect(batches((keys) => upper(keys.slice(1))).getAll(['a', 'b'])).rejects.toThrow('too few values')
  })

  test('are separate for each key without a common call', async () => {
    const read: string[] = []
    const cache = createCachedReads({
      clock: createTestClock(),
      caches: lruCaches,
      max: 100,
      keyOf: ({ id }: { readonly id: string }) => id,
      read: async ({ id }: { readonly id: string }) => {
        read.push(id)
        return id
      },
    })
    const get = async (id: string) => cache.get({ id }, SECOND)
    expect(await Promise.all(['a', 'b', 'a'].map(get))).toEqual(['a', 'b', 'a'])
    expect(
      (await cache.getAll([{ id: 'a' }, { id: 'c' }, { id: 'd' }], SECOND)).map(({ value }) => value),
    ).toEqual(['a', 'c', 'd'])
    expect(read).toEqual(['a', 'b', 'c', 'd'])
  })
})
