import { describe, expect, test } from 'vitest'
import { createEntityService } from '../../../src/core/admin/entities.ts'
import { createTestAdmin } from './test-admin.ts'

const setUp = () => {
  const admin = createTestAdmin()
  return { ...admin, entities: createEntityService(admin.deps) }
}

describe('entities', () => {
  test('have versions from the time of each change, each later than the one before', async () => {
    const { entities, clock } = setUp()
    const made = await entities.create({ id: 'a', name: 'A' }, 'admin')
    expect([made.version, made.createdAt]).toEqual([clock.now(), clock.now()])
    const changed = await entities.change('a', { name: 'B' }, 'admin')
    expect(changed.version).toBe(made.version + 1n)
    clock.advance(100n)
    expect((await entities.change('a', { name: 'C' }, 'admin')).version).toBe(clock.now())
  })

  test('keep the changes of two concurrent writers', async () => {
    const { entities } = setUp()
    await entities.create({ id: 'a', name: 'A' }, 'admin')
    await Promise.all([
      entities.change('a', { name: 'B' }, 'one'),
      entities.change('a', { role: 'user' }, 'two'),
      entities.change('a', { kind: 'tenant' }, 'three'),
    ])
    expect(await entities.get('a')).toMatchObject({ name: 'B', role: 'user', kind: 'tenant' })
  })

  test('leave an audit record of every successful change and of no other', async () => {
    const { entities, audit, changes } = setUp()
    await entities.create({ id: 'a', name: 'A' }, 'admin')
    await entities.change('a', { disabled: true }, 'operator')
    await entities.remove('a', 'admin')
    await expect(entities.create({ id: 'b', name: 'B', parentId: 'none' }, 'admin')).rejects.toThrow(
      'parent_id',
    )
    await expect(entities.change('a', { name: 'x' }, 'admin')).rejects.toMatchObject({ code: 'not_found' })
    expect((await audit()).map(({ actor, action }) => `${actor} ${action}`)).toEqual([
      'admin entity.delete',
      'operator entity.change',
      'admin entity.create',
    ])
    expect((await audit())[1]).toMatchObject({ before: { disabled: false }, after: { disabled: true } })
    expect(changes).toEqual([{ entityId: 'a' }, { entityId: 'a' }, { entityId: 'a' }])
  })

  test.each([
    ['entity_id', { id: '#' }],
    ['name', { name: '' }],
    ['name', { name: 'x'.repeat(257) }],
    ['kind', { kind: 'a b' }],
    ['role', { role: 'a#b' }],
    ['parent_id', { parentId: '' }],
    ['models', { models: Array.from({ length: 101 }, (_, i) => `m${i}`) }],
    ['models[1]', { models: ['a', 'b c'] }],
    ['metadata', { metadata: Object.fromEntries(Array.from({ length: 51 }, (_, i) => [`k${i}`, ''])) }],
    ['metadata', { metadata: { '': 'x' } }],
    ['metadata.note', { metadata: { note: 'x'.repeat(1025) } }],
  ])('with an invalid %s are rejected', async (field, wrong) => {
    const { entities } = setUp()
    await expect(entities.create({ id: 'a', name: 'A', ...wrong }, 'admin')).rejects.toMatchObject({
      code: 'invalid_request',
      field,
    })
  })

  test('reject a cycle of any length, and resolution ends if one exists anyway', async () => {
    const { entities, store } = setUp()
    for (const [id, parentId] of [
      ['a', null],
      ['b', 'a'],
      ['c', 'b'],
    ] as const) {
      await entities.create({ id, name: id, parentId }, 'admin')
    }
    await expect(entities.change('a', { parentId: 'c' }, 'admin')).rejects.toMatchObject({
      field: 'parent_id',
    })
    const a = await entities.get('a')
    await store.replaceEntity(
      { ...a, parentId: 'c' },
      a.version,
      (await store.listAudit({ limit: 1 })).items[0] ?? never(),
    )
    await expect(entities.create({ id: 'd', name: 'd', parentId: 'b' }, 'admin')).resolves.toMatchObject({
      id: 'd',
    })
  })

  test('have at most 32 ancestors, and so do the descendants of one that is moved', async () => {
    const { entities } = setUp()
    const under = (id: string, parentId: string | null) =>
      entities.create({ id, name: id, parentId }, 'admin')
    for (let depth = 0; depth <= 32; depth++) await under(`e${depth}`, depth === 0 ? null : `e${depth - 1}`)
    const tooDeep = {
      code: 'invalid_request',
      field: 'parent_id',
      message: 'parent_id must leave the entity and its descendants with at most 32 ancestors each',
    }
    await expect(under('e33', 'e32')).rejects.toMatchObject(tooDeep)
    await under('moved', null)
    await under('child', 'moved')
    await under('other', 'moved')
    await expect(entities.change('moved', { parentId: 'e31' }, 'admin')).rejects.toMatchObject(tooDeep)
    await expect(entities.change('moved', { parentId: 'e32' }, 'admin')).rejects.toMatchObject(tooDeep)
    await entities.change('moved', { parentId: 'e30' }, 'admin')
    await entities.remove('child', 'admin')
    await entities.change('other', { parentId: 'e31' }, 'admin')
    await entities.change('moved', { parentId: 'e31' }, 'admin')
  })
})

const never = (): never => {
  throw new Error('there is no record')
}
