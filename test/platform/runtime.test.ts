import { afterEach, expect, test, vi } from 'vitest'
import { lruCaches, systemClock } from '../../src/platform/runtime.ts'

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
