import { expect, test } from 'vitest'
import { isId } from '../../../src/core/model/entity.ts'
import {
  createConfigInCode,
  createEntityIds,
  createKeysInDecision,
} from '../../../src/library/limiter/limits-in-code.ts'

const config = createConfigInCode(
  { limits: [{ name: 'rps', capacity: 10, refill_rate: 2 }], priorityOf: () => 'low' },
  (id) => (id === 'app:a' ? 'a' : undefined),
)

test('contains every entity, none with a parent or a role of its own', async () => {
  expect(await config.entity('app:a')).toMatchObject({ parentId: null, role: null, priority: 'low' })
  expect(await config.entity('app:unknown')).toMatchObject({ priority: 'normal' })
})

test('applies to entities, and to no policy or role', async () => {
  const sets = await config.limitSets([
    { owner: { kind: 'system' }, resource: '_default_' },
    { owner: { kind: 'system' }, resource: '_total_' },
    { owner: { kind: 'entity', id: 'app:a' }, resource: '_default_' },
    { owner: { kind: 'role', role: 'user' }, resource: '_default_' },
    { owner: { kind: 'policy', scope: 'GLOBAL', selector: '*' }, resource: '_default_' },
    { owner: { kind: 'policy', scope: 'GLOBAL', selector: '*' }, resource: '_total_' },
  ])
  expect(sets.map((set) => set?.limits.length)).toEqual([
    1,
    undefined,
    undefined,
    undefined,
    undefined,
    undefined,
  ])
})

test('returns a key until the last decision about it ends, also a failed one', async () => {
  const keys = createKeysInDecision()
  const ends: ((error?: Error) => void)[] = []
  const decide = () =>
    new Promise<void>((resolve, reject) => ends.push((error) => (error ? reject(error) : resolve())))
  const first = keys.during('app:a', 'a', decide)
  const second = keys.during('app:a', 'a', decide)
  ends[0]?.()
  await first
  expect(keys.keyOf('app:a')).toBe('a')
  ends[1]?.(new Error('failed'))
  await expect(second).rejects.toThrow('failed')
  expect(keys.keyOf('app:a')).toBeUndefined()
})

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

test.each(['', '-app', 'a#b', 'n'.repeat(49)])('rejects the name %j', (name) => {
  expect(() => createEntityIds(name)).toThrow(/^name must be 1 to 48/)
})

test('rejects an empty key', () => {
  expect(() => idOf('')).toThrow('key must not be empty')
})
