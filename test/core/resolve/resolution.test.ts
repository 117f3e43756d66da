import { describe, expect, test } from 'vitest'
import { StoreUnavailable } from '../../../src/core/model/errors.ts'
import type { ConfigStore } from '../../../src/core/ports/config-store.ts'
import { SECOND } from '../test-clock.ts'
import { createTestConfig, entityOwner, limitsOf, type TestConfig } from '../test-config.ts'
import { createTestNode, createTestWorld, type TestWorld } from '../test-limiter.ts'

const role = (name: string) => ({ kind: 'role', role: name }) as const

const system = { kind: 'system' } as const

const sourcesOf = async (world: TestWorld, resource?: string) =>
  Object.fromEntries(
    (await world.node.limiter.explain('key', resource)).map(({ limit, source, overrides }) => [
      limit.name,
      [source, ...overrides.map((overridden) => overridden.source)],
    ]),
  )

const ask = (world: TestWorld, resource?: string, node = world.node) =>
  node.limiter.decide({
    entityId: 'key',
    cost: { requests: 1 },
    settles: false,
    ...(resource && { resource }),
  })

describe('which limits apply', () => {
  test('is settled by name: entity before role before system before environment, the resource before _default_', async () => {
    const world = createTestWorld({ defaultLimits: limitsOf({ rpm: [1, 1], tpm: [1, 1] }) })
    world.config.putModel('gpt-4')
    world.config.putEntity('key', { role: 'user' })
    world.config.putLimits(entityOwner('key'), 'gpt-4', limitsOf({ rpm: [2, 1] }))
    world.config.putLimits(entityOwner('key'), '_default_', limitsOf({ rpm: [3, 1], rph: [3, 1] }))
    world.config.putLimits(role('user'), 'gpt-4', limitsOf({ tpm: [4, 1] }))
    world.config.putLimits(role('user'), '_default_', limitsOf({ tpm: [5, 1], rpm: [5, 1] }))
    world.config.putLimits(system, 'gpt-4', limitsOf({ rpd: [6, 1] }))
    world.config.putLimits(system, '_default_', limitsOf({ rpd: [7, 1] }))
    expect(await sourcesOf(world, 'gpt-4')).toEqual({
      rpm: ['entity:gpt-4', 'entity:_default_', 'role:user:_default_', 'environment'],
      rph: ['entity:_default_'],
      tpm: ['role:user:gpt-4', 'role:user:_default_', 'environment'],
      rpd: ['system:gpt-4', 'system:_default_'],
    })
    expect(await sourcesOf(world)).toMatchObject({
      rpm: ['entity:_default_', 'role:user:_default_', 'environment'],
    })
  })

  test('gives each registered resource a bucket of its own, and limits of its own register one', async () => {
    const world = createTestWorld()
    world.config.putEntity('key')
    world.config.putModel('gpt-4')
    world.config.putLimits(entityOwner('key'), '_default_', limitsOf({ rpm: [1, 1 / 60] }))
    world.config.putLimits(entityOwner('key'), 'search', limitsOf({ rpm: [2, 1 / 60] }))
    for (const resource of [undefined, 'gpt-4', 'search', 'unheard-of'])
      expect((await ask(world, resource)).allowed).toBe(true)
    const buckets = (await world.buckets.list('key')).map(({ resource }) => resource).sort()
    expect(buckets).toEqual(['_default_', '_other_', 'gpt-4', 'search'])
  })

  test('enforces _total_ over all resources as well, once', async () => {
    const world = createTestWorld()
    world.config.putEntity('key')
    world.config.putModel('a')
    world.config.putModel('b')
    world.config.putLimits(entityOwner('key'), '_default_', limitsOf({ rpm: [2, 1 / 60] }))
    world.config.putLimits(entityOwner('key'), '_total_', limitsOf({ rpm: [3, 1 / 60] }))
    const answers = []
    for (const resource of ['a', 'b', 'a', 'b']) answers.push(await ask(world, resource))
    expect(answers.map(({ allowed }) => allowed)).toEqual([true, true, true, false])
    expect(answers[3]).toMatchObject({ violations: [{ state: { resource: '_total_', available: 0 } }] })
  })

  test('binds by parents while cascade is on, by their own limits and not by their defaults', async () => {
    const world = createTestWorld({ defaultLimits: limitsOf({ rpm: [100, 1] }) })
    world.config.putEntity('org')
    world.config.putEntity('project', { parentId: 'org', role: 'tight' })
    world.config.putEntity('key', { parentId: 'project' })
    world.config.putLimits(entityOwner('org'), '_default_', limitsOf({ rpm: [1, 1 / 60] }))
    world.config.putLimits(role('tight'), '_default_', limitsOf({ rpm: [1, 1 / 60] }))
    expect((await ask(world)).allowed).toBe(true)
    expect(await ask(world)).toMatchObject({
      allowed: false,
      violations: [{ state: { entityId: 'org', own: false } }],
    })
    world.config.putEntity('key', { parentId: 'project', cascade: false })
    expect((await ask(world, undefined, world.join())).allowed).toBe(true)
  })

  test('charges no limit for an entity that bypasses them, and counts its use', async () => {
    const world = createTestWorld()
    world.config.putEntity('org')
    world.config.putEntity('key', { parentId: 'org', bypass: true })
    for (const id of ['org', 'key'])
      world.config.putLimits(entityOwner(id), '_default_', limitsOf({ rpm: [1, 1 / 60] }))
    for (let turn = 0; turn < 5; turn++) expect((await ask(world)).allowed).toBe(true)
    await world.node.limiter.flush({ all: true })
    expect((await world.join().limiter.status('key', '_default_')).used.requests).toBe(5)
    expect(await world.buckets.list('org')).toEqual([])
  })

  test('ends where parents come back to a child, and charges none twice', async () => {
    const world = createTestWorld()
    world.config.putEntity('org', { parentId: 'key' })
    world.config.putEntity('key', { parentId: 'org' })
    for (const id of ['org', 'key'])
      world.config.putLimits(entityOwner(id), '_default_', limitsOf({ rpm: [10, 1 / 3600] }))
    expect((await ask(world)).allowed).toBe(true)
    for (const id of ['org', 'key'])
      expect((await world.join().limiter.status(id, '_default_')).limits[0]?.available).toBe(9)
  })

  test('takes a name that is empty for one that no model has', async () => {
    const world = createTestWorld({ defaultLimits: limitsOf({ rpm: [10, 1 / 3600] }) })
    world.config.putEntity('key')
    for (const resource of ['', undefined])
      await world.node.limiter.decide({
        entityId: 'key',
        cost: { requests: 1 },
        settles: false,
        ...(resource !== undefined && { resource }),
      })
    const buckets = (await world.buckets.list('key')).map(({ resource }) => resource).sort()
    expect(buckets).toEqual(['_default_', '_other_'])
  })

  test('is not found for an entity that there is not', async () => {
    const world = createTestWorld()
    await expect(ask(world)).rejects.toMatchObject({ code: 'not_found' })
  })
})

describe('what is known of the configuration', () => {
  const worldWith = (rpm: number): TestWorld => {
    const world = createTestWorld()
    world.config.putEntity('key')
    world.config.putLimits(entityOwner('key'), '_default_', limitsOf({ rpm: [rpm, 1 / 3600] }))
    return world
  }

  test('serves for 30 seconds, also that there is nothing', async () => {
    const world = worldWith(100)
    await ask(world)
    const reads = world.config.reads()
    world.clock.advance(29n * SECOND)
    await ask(world)
    expect(world.config.reads()).toBe(reads)
    world.clock.advance(2n * SECOND)
    await ask(world)
    expect(world.config.reads()).toBeGreaterThan(reads)
  })

  test('is looked at again before a denial, so that a raised limit helps within a second on every node', async () => {
    const world = worldWith(1)
    const other = world.join()
    expect((await ask(world, undefined, other)).allowed).toBe(true)
    expect((await ask(world, undefined, other)).allowed).toBe(false)
    world.config.putLimits(entityOwner('key'), '_default_', limitsOf({ rpm: [5, 1 / 3600] }))
    world.clock.advance(SECOND + 1n)
    expect((await ask(world, undefined, other)).allowed).toBe(true)
  })

  test('is read at most once a second however many are denied', async () => {
    const world = worldWith(1)
    await ask(world)
    world.clock.advance(2n * SECOND)
    await ask(world)
    const reads = world.config.reads()
    for (let turn = 0; turn < 50; turn++) expect((await ask(world)).allowed).toBe(false)
    expect(world.config.reads()).toBe(reads)
  })

  test('is forgotten at once in the process that changes it, also while it is being read', async () => {
    const world = worldWith(1)
    await ask(world)
    world.config.putLimits(entityOwner('key'), '_default_', limitsOf({ rpm: [5, 1 / 3600] }))
    world.node.limiter.forget()
    expect((await ask(world)).allowed).toBe(true)
  })

  test('serves beyond its age while the store is away', async () => {
    const config = createTestConfig()
    let isAway = false
    const flaky = withOutage(config, () => isAway)
    const world = createTestWorld()
    const node = createTestNode({ ...world, config: flaky })
    config.putEntity('key')
    config.putLimits(entityOwner('key'), '_default_', limitsOf({ rpm: [5, 1 / 3600] }))
    expect((await ask(world, undefined, node)).allowed).toBe(true)
    isAway = true
    world.clock.advance(3600n * SECOND)
    expect((await ask(world, undefined, node)).allowed).toBe(true)
    await expect(
      node.limiter.decide({ entityId: 'stranger', cost: { requests: 1 }, settles: false }),
    ).rejects.toBeInstanceOf(StoreUnavailable)
  })

  test('is asked for once a second while the store is away, not for every decision', async () => {
    const config = createTestConfig()
    let isAway = false
    let asked = 0
    const flaky = withOutage(config, () => {
      asked++
      return isAway
    })
    const world = createTestWorld()
    const node = createTestNode({ ...world, config: flaky })
    config.putEntity('key')
    config.putLimits(entityOwner('key'), '_default_', limitsOf({ rpm: [100, 1 / 3600] }))
    await ask(world, undefined, node)
    isAway = true
    world.clock.advance(3600n * SECOND)
    for (let turn = 0; turn < 5; turn++) await ask(world, undefined, node)
    const before = asked
    for (let turn = 0; turn < 20; turn++) expect((await ask(world, undefined, node)).allowed).toBe(true)
    expect(asked).toBe(before)
    isAway = false
    world.clock.advance(SECOND)
    await ask(world, undefined, node)
    config.putLimits(entityOwner('key'), '_default_', limitsOf({ rpm: [1, 1 / 3600] }))
    world.clock.advance(31n * SECOND)
    expect((await ask(world, undefined, node)).allowed).toBe(false)
  })
})

const withOutage = (config: TestConfig, isAway: () => boolean): TestConfig => {
  const guarded =
    <A extends readonly unknown[], T>(read: (...args: A) => Promise<T>) =>
    (...args: A): Promise<T> =>
      isAway() ? Promise.reject(new StoreUnavailable('away', { mayHaveApplied: false })) : read(...args)
  const store: ConfigStore = config
  return {
    ...config,
    entity: guarded(store.entity),
    entities: guarded(store.entities),
    model: guarded(store.model),
    limitSets: guarded(store.limitSets),
    apiKey: guarded(store.apiKey),
  }
}
