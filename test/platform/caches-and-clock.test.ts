import { afterEach, describe, expect, test, vi } from 'vitest'
import { createRecentMap } from '../../src/platform/recent-map.ts'
import { lruCaches, systemClock } from '../../src/platform/runtime.ts'

describe('the runtime', () => {
  afterEach(() => void vi.unstubAllGlobals())

  test.each([undefined, {}, { hrtime: () => [0, 0] }])(
    'is monotonic, in ns, where a runtime has the process %o',
    (runtimeProcess) => {
      vi.stubGlobal('process', runtimeProcess)
      vi.stubGlobal('performance', { now: () => 1234.567891 })
      expect(systemClock.monotonic()).toBe(1_234_567_891n)
    },
  )

  test('holds at most so many values, and forgets what was not used for longest', () => {
    const cache = lruCaches<{ readonly n: number }>({ max: 2 })
    cache.set('a', { n: 1 })
    cache.set('b', { n: 2 })
    expect(cache.get('a')).toEqual({ n: 1 })
    cache.set('c', { n: 3 })
    expect(['a', 'b', 'c'].map((key) => cache.get(key))).toEqual([{ n: 1 }, undefined, { n: 3 }])
    cache.delete('a')
    cache.set('d', { n: 4 })
    expect(['a', 'c', 'd'].map((key) => cache.get(key))).toEqual([undefined, { n: 3 }, { n: 4 }])
  })
})

describe('a map of recent values', () => {
  test('keeps the latest, and drops what was not read since twice as many came', () => {
    const map = createRecentMap<number>(2)
    for (const key of ['a', 'b', 'c', 'd']) map.set(key, 1)
    expect([map.get('d'), map.get('c')]).toEqual([1, 1])
    expect(map.get('a')).toBe(1)
    for (const key of ['e', 'f', 'g', 'h']) map.set(key, 2)
    expect(['b', 'c', 'd'].map((key) => map.get(key))).toEqual([undefined, undefined, undefined])
    expect([map.get('h'), map.get('g')]).toEqual([2, 2])
  })

  test('a value that is read outlives those that are not', () => {
    const map = createRecentMap<number>(2)
    map.set('read', 1)
    for (let other = 0; other < 10; other++) {
      map.set(other, 2)
      expect(map.get('read')).toBe(1)
    }
    expect(map.get(0)).toBeUndefined()
  })

  test('numbers and texts are different keys', () => {
    const map = createRecentMap<string>(2)
    map.set(42, 'number')
    expect(map.get('42')).toBeUndefined()
    expect(map.get(42)).toBe('number')
  })

  test('keeps nothing for a key of over 128 characters', () => {
    const map = createRecentMap<number>(2)
    map.set('k'.repeat(128), 1)
    map.set('k'.repeat(129), 1)
    expect(map.get('k'.repeat(128))).toBe(1)
    expect(map.get('k'.repeat(129))).toBeUndefined()
  })
})
