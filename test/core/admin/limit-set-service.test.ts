import { describe, expect, test } from 'vitest'
import { parseLimits } from '../../../src/contract/limits.ts'
import { createEntityService } from '../../../src/core/admin/entities.ts'
import { createLimitSetService } from '../../../src/core/admin/limits.ts'
import type { LimitSetKey } from '../../../src/core/model/limit-set.ts'
import { limitsOf } from '../test-config.ts'
import { createTestAdmin } from './test-admin.ts'

const OF_ORG: LimitSetKey = { owner: { kind: 'entity', id: 'org' }, resource: '_default_' }
const OF_ROLE: LimitSetKey = { owner: { kind: 'role', role: 'user' }, resource: 'gpt-4' }
const OF_ALL: LimitSetKey = { owner: { kind: 'system' }, resource: '_total_' }

const TEN = limitsOf({ rpm: [10, 1] })
const TWENTY = limitsOf({ rpm: [20, 1] })

const setUp = async () => {
  const admin = createTestAdmin()
  await createEntityService(admin.deps).create({ id: 'org', name: 'Org' }, 'admin')
  const version = async () => (await admin.store.limitSets([OF_ORG]))[0]?.version
  return { ...admin, limitSets: createLimitSetService(admin.deps), version }
}

describe('limit sets', () => {
  test('have versions that only grow, even across a deletion and while the clock stands still', async () => {
    const { limitSets, version, clock } = await setUp()
    const versions: (bigint | undefined)[] = []
    for (const limits of [TEN, TWENTY, TEN, [], TWENTY]) {
      await limitSets.replace(OF_ORG, limits, 'admin')
      versions.push(await version())
    }
    expect(versions).toEqual([0n, 1n, 2n, 3n, 4n].map((n) => clock.now() + n))
  })

  test('become a tombstone when they are deleted, and nothing is written if there was nothing', async () => {
    const { limitSets, version, audit } = await setUp()
    await limitSets.replace(OF_ORG, [], 'admin')
    expect(await version()).toBeUndefined()
    await limitSets.replace(OF_ORG, TEN, 'admin')
    await limitSets.replace(OF_ORG, [], 'admin')
    expect(await limitSets.get(OF_ORG)).toEqual([])
    expect(await version()).toBeDefined()
    expect((await audit()).map(({ action }) => action)).toEqual([
      'limits.delete',
      'limits.replace',
      'entity.create',
    ])
  })

  test('of two concurrent writers are applied one after the other, each with an audit record', async () => {
    const { limitSets, audit, store } = await setUp()
    await Promise.all([limitSets.replace(OF_ORG, TEN, 'one'), limitSets.replace(OF_ORG, TWENTY, 'two')])
    const [second, first] = await audit()
    expect(first?.before).toMatchObject({ limits: [] })
    expect(second?.before).toEqual(first?.after)
    expect((await store.limitSets([OF_ORG]))[0]?.limits).toEqual(second?.actor === 'two' ? TWENTY : TEN)
  })

  test('are written once by repeated and concurrent calls to ensure', async () => {
    const { limitSets, version, audit, changes, clock } = await setUp()
    changes.length = 0
    const sent = [TEN, TEN, TEN].map((limits) => limitSets.ensure(OF_ORG, limits, 'node'))
    expect((await Promise.all(sent)).filter(Boolean)).toHaveLength(1)
    const first = await version()
    clock.advance(1n)
    expect(await limitSets.ensure(OF_ORG, TEN, 'node')).toBe(false)
    expect([await version(), changes.length]).toEqual([first, 1])
    expect((await audit()).map(({ action }) => action)).toEqual(['limits.replace', 'entity.create'])
  })

  test('converge to the ensured limits despite concurrent writes', async () => {
    const { limitSets, store } = await setUp()
    const both = [limitSets.replace(OF_ORG, TWENTY, 'admin'), limitSets.ensure(OF_ORG, TEN, 'node')]
    expect((await Promise.all(both))[1]).toBe(true)
    expect((await store.limitSets([OF_ORG]))[0]?.limits).toEqual(TEN)
  })

  test('name their owner in the audit records and in the change notification', async () => {
    const { limitSets, audit, changes } = await setUp()
    changes.length = 0
    for (const key of [OF_ORG, OF_ROLE, OF_ALL]) await limitSets.replace(key, TEN, 'admin')
    expect((await audit()).map(({ subject }) => subject)).toEqual(['SYSTEM', 'ROLE#user', 'org', 'org'])
    expect(changes).toEqual([{ entityId: 'org' }, { all: true }, { all: true }])
  })

  test.each([
    ['resource', { owner: { kind: 'system' }, resource: '_mine_' }],
    ['resource', { owner: { kind: 'system' }, resource: 'a#b' }],
    ['role', { owner: { kind: 'role', role: 'a#b' }, resource: 'gpt-4' }],
  ] as const)('with a bad %s are refused', async (field, key) => {
    const { limitSets } = await setUp()
    await expect(limitSets.replace(key, TEN, 'admin')).rejects.toMatchObject({ field })
    await expect(limitSets.get(key)).rejects.toMatchObject({ field })
  })

  describe('that do not fit into one bucket together', () => {
    const named = (letter: string, count: number, size: object = { capacity: 9, refill_rate: 1 }) =>
      parseLimits(
        Array.from({ length: count }, (_, index) => ({
          name: `${letter}${index}`,
          meter: 'requests',
          ...size,
        })),
        'limits',
      )
    const WINDOW = { algorithm: 'sliding_window', limit: 9, window_seconds: 60 }
    const onGpt4 = (owner: LimitSetKey['owner']): LimitSetKey => ({ owner, resource: 'gpt-4' })
    const rejected = { code: 'invalid_request', field: 'limits' }

    test.each([
      ['the entity has on all resources', OF_ORG, onGpt4(OF_ORG.owner)],
      ['the entity has on one resource', onGpt4(OF_ORG.owner), OF_ORG],
      ['its role has', OF_ROLE, onGpt4(OF_ORG.owner)],
      ['the system has', onGpt4(OF_ALL.owner), onGpt4(OF_ORG.owner)],
      ['the system has beside a role', onGpt4(OF_ALL.owner), OF_ROLE],
    ] as const)('are refused, with those that %s', async (_, first, second) => {
      const { deps, limitSets } = await setUp()
      await createEntityService(deps).change('org', { role: 'user' }, 'admin')
      await limitSets.replace(first, named('a', 5), 'admin')
      await expect(limitSets.replace(second, named('b', 4), 'admin')).rejects.toMatchObject(rejected)
      await expect(limitSets.ensure(second, named('b', 4), 'admin')).rejects.toMatchObject(rejected)
      expect(await limitSets.get(second)).toEqual([])
      await limitSets.replace(second, [...named('a', 5), ...named('b', 3)], 'admin')
    })

    test('are rejected even if only the slots of the windows are too many', async () => {
      const { limitSets } = await setUp()
      await limitSets.replace(OF_ORG, named('a', 2, WINDOW), 'admin')
      const key = onGpt4(OF_ORG.owner)
      await expect(limitSets.replace(key, named('b', 2, WINDOW), 'admin')).rejects.toMatchObject(rejected)
      await limitSets.replace(key, named('b', 1, WINDOW), 'admin')
    })

    test('do not block changes on another resource, over all resources, or a deletion', async () => {
      const { limitSets } = await setUp()
      await limitSets.replace(onGpt4(OF_ORG.owner), named('a', 8), 'admin')
      await limitSets.replace({ ...OF_ORG, resource: 'gpt-4o' }, named('b', 8), 'admin')
      await limitSets.replace({ ...OF_ORG, resource: '_total_' }, named('c', 8), 'admin')
      await limitSets.replace(onGpt4(OF_ORG.owner), [], 'admin')
      expect(await limitSets.get(onGpt4(OF_ORG.owner))).toEqual([])
    })
  })

  test('of an unknown entity are not found', async () => {
    const { limitSets } = await setUp()
    const key: LimitSetKey = { owner: { kind: 'entity', id: 'nobody' }, resource: '_default_' }
    await expect(limitSets.replace(key, TEN, 'admin')).rejects.toMatchObject({ code: 'not_found' })
  })
})
