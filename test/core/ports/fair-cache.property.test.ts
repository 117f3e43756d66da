import { fc, test } from '@fast-check/vitest'
import { describe, expect } from 'vitest'
import { createFairCache } from '../../../src/core/ports/fair-cache.ts'
import { runs } from '../../property-runs.ts'

const MAX = 16

const groupOf = (key: string): string => key.slice(0, key.indexOf('#'))

const createCache = () => createFairCache<{ readonly of: string }>({ max: MAX, groupOf })

const key = fc
  .tuple(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'), fc.nat({ max: 20 }))
  .map(([group, n]) => `${group}#${n}`)

const keys = fc.array(key, { maxLength: 200 })

describe('a fair cache', () => {
  test.prop([keys], { numRuns: runs(100) })('is bounded, and keeps what was set last', (all) => {
    const cache = createCache()
    for (const each of all) {
      cache.set(each, { of: each })
      expect(cache.get(each)).toEqual({ of: each })
    }
    const kept = [...new Set(all)].filter((each) => cache.get(each) !== undefined)
    expect(kept.length).toBeLessThanOrEqual(MAX)
    for (const group of 'abcdef')
      expect(kept.filter((each) => groupOf(each) === group).length).toBeLessThanOrEqual(MAX / 4)
  })

  test.prop([fc.array(fc.string(), { minLength: 50, maxLength: 200 })], { numRuns: runs(100) })(
    'keeps the entries of others while one group invents keys',
    (invented) => {
      const cache = createCache()
      const others = ['x#1', 'x#2', 'y#1', 'z#1']
      for (const each of others) cache.set(each, { of: each })
      for (const name of invented) cache.set(`hostile#${name}`, { of: name })
      for (const each of others) expect(cache.get(each)).toEqual({ of: each })
    },
  )

  test.prop([keys], { numRuns: runs(100) })('is empty after each key is deleted', (all) => {
    const cache = createCache()
    for (const each of all) cache.set(each, { of: each })
    for (const each of all) cache.delete(each)
    for (const each of all) expect(cache.get(each)).toBeUndefined()
    for (let n = 0; n < MAX / 4; n++) cache.set(`a#${n}`, { of: 'a' })
    expect(cache.get('a#0')).toBeDefined()
  })
})
