import { expect, test } from 'vitest'
import { createConfigInCode } from '../../../src/library/limiter/limits-in-code.ts'

const config = createConfigInCode(
  { limits: [{ name: 'rps', capacity: 10, refill_rate: 2 }], priorityOf: () => 'low' },
  (id) => (id === 'app:a' ? 'a' : undefined),
)

test('knows every entity, none with a parent or a role of its own', async () => {
  expect(await config.entity('app:a')).toMatchObject({ parentId: null, role: null, priority: 'low' })
  expect(await config.entity('app:unknown')).toMatchObject({ priority: 'normal' })
})

test('gives its limits to entities, and to no policy or role', async () => {
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
