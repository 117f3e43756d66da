import { expect, test } from 'vitest'
import { isId } from '../../../src/core/model/entity.ts'
import { createEntityIds } from '../../../src/library/limiter/limits-in-code.ts'

const idOf = createEntityIds('app')

test.each([
  ['203.0.113.7', 'app:203.0.113.7'],
  ['2001:db8:1:2', 'app:2001:db8:1:2'],
  ['user@example.com', 'app:user@example.com'],
])('keeps %s readable', (key, id) => {
  expect(idOf(key)).toBe(id)
})

test.each(['a b', 'ü', 'ENTITY#key-bob', 'x'.repeat(125), '\n', '{}'])(
  'hashes %j, which no id can hold',
  (key) => {
    expect(idOf(key)).toMatch(/^app:sha256:[0-9a-f]{64}$/)
    expect(isId(idOf(key))).toBe(true)
  },
)

test('lets no key be chosen to meet the bucket of another', () => {
  const [, hash = ''] = idOf('a b').split('app:')
  expect(idOf(hash)).not.toBe(idOf('a b'))
  expect(idOf(hash)).toMatch(/^app:sha256:/)
})

test('keeps limiters of other names apart, and the entities of a deployed zael', () => {
  expect(createEntityIds('other')('key-bob')).toBe('other:key-bob')
})

test('holds the hash also behind the longest name', () => {
  expect(isId(createEntityIds('n'.repeat(48))('a b'))).toBe(true)
})

test.each(['', '-app', 'a#b', 'n'.repeat(49)])('refuses the name %j', (name) => {
  expect(() => createEntityIds(name)).toThrow(/^name must be 1 to 48/)
})

test('refuses an empty key', () => {
  expect(() => idOf('')).toThrow('key must not be empty')
})
