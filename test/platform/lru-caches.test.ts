import { expect, test } from 'vitest'
import { lruCaches } from '../../src/platform/runtime.ts'

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
