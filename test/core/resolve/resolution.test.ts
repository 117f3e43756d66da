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

const decide = (world: TestWorld, resource?: string, node = world.node) =>
  node.limiter.decide({
    entityId: 'key',
    cost: { requests: 1 },
    settles: false,
    ...(resource && { resource }),
  })

describe('the effective limits', () => {
  test('are chosen by name: entity before role before system before environment, the resource before _default_', async () => {
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

  test('give each registered resource its own bucket, and limits on a resource register it', async () => {
    const world = createTestWorld()
    world.config.putEntity('key')
    world.config.putModel('gpt-4')
    world.config.putLimits(entityOwner('key'), '_default_', limitsOf({ rpm: [1, 1 / 60] }))
    world.config.putLimits(entityOwner('key'), 'search', limitsOf({ rpm: [2, 1 / 60] }))
    for (const resource of [undefined, 'gpt-4', 'search', 'unheard-of'])
      expect((await decide(world, resource)).allowed).toBe(true)
    const buckets = (await world.buckets.list('key')).map(({ resource }) => resource).sort()
    expect(buckets).toEqual(['_default_', '_other_', 'gpt-4', 'search'])
  })

  test('include _total_ over all resources, once', async () => {
    const world = createTestWorld()
    world.config.putEntity('key')
    world.config.putModel('a')
    world.config.putModel('b')
    world.config.putLimits(entityOwner('key'), '_default_', limitsOf({ rpm: [2, 1 / 60] }))
    world.config.putLimits(entityOwner('key'), '_total_', limitsOf({ rpm: [3, 1 / 60] }))
    const responses = []
    for (const resource of ['a', 'b', 'a', 'b']) responses.push(await decide(world, resource))
    expect(responses.map(({ allowed }) => allowed)).toEqual([true, true, true, false])
    expect(responses[3]).toMatchObject({ violations: [{ state: { resource: '_total_', available: 0 } }] })
  })

  test('include those of parents while cascade is on, without the defaults of parents', async () => {
    const world = createTestWorld({ defaultLimits: limitsOf({ rpm: [100, 1] }) })
    world.config.putEntity('org')
    world.config.putEntity('project', { parentId: 'org', role: 'tight' })
    world.config.putEntity('key', { parentId: 'project' })
    world.config.putLimits(entityOwner('org'), '_default_', limitsOf({ rpm: [1, 1 / 60] }))
    world.config.putLimits(role('tight'), '_default_', limitsOf({ rpm: [1, 1 / 60] }))
    expect((await decide(world)).allowed).toBe(true)
    expect(await decide(world)).toMatchObject({
      allowed: false,
      violations: [{ state: { entityId: 'org', own: false } }],
    })
    world.config.putEntity('key', { parentId: 'project', cascade: false })
    expect((await decide(world, undefined, world.join())).allowed).toBe(true)
  })

  test('are not charged for an entity that bypasses them, and its use is counted', async () => {
    const world = createTestWorld()
    world.config.putEntity('org')
    world.config.putEntity('key', { parentId: 'org', bypass: true })
    for (const id of ['org', 'key'])
      world.config.putLimits(entityOwner(id), '_default_', limitsOf({ rpm: [1, 1 / 60] }))
    for (let turn = 0; turn < 5; turn++) expect((await decide(world)).allowed).toBe(true)
    await world.node.limiter.flush({ all: true })
    expect((await world.join().limiter.status('key', '_default_')).used.requests).toBe(5)
    expect(await world.buckets.list('org')).toEqual([])
  })

  test('end at a cycle of parents, and are charged once each', async () => {
    const world = createTestWorld()
    world.config.putEntity('org', { parentId: 'key' })
    world.config.putEntity('key', { parentId: 'org' })
    for (const id of ['org', 'key'])
      world.config.putLimits(entityOwner(id), '_default_', limitsOf({ rpm: [10, 1 / 3600] }))
    expect((await decide(world)).allowed).toBe(true)
    for (const id of ['org', 'key'])
      expect((await world.join().limiter.status(id, '_default_')).limits[0]?.available).toBe(9)
  })

  test('treat an empty name as an unregistered resource', async () => {
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

  test('are not found for an unknown entity', async () => {
    const world = createTestWorld()
    await expect(decide(world)).rejects.toMatchObject({ code: 'not_found' })
  })
})

describe('the cached configuration', () => {
  const worldWith = (rpm: number): TestWorld => {
    const world = createTestWorld()
    world.config.putEntity('key')
    world.config.putLimits(entityOwner('key'), '_default_', limitsOf({ rpm: [rpm, 1 / 3600] }))
    return world
  }

  test('is used for 30 seconds, including missing items', async () => {
    const world = worldWith(100)
    await decide(world)
    const reads = world.config.reads()
    world.clock.advance(29n * SECOND)
    await decide(world)
    expect(world.config.reads()).toBe(reads)
    world.clock.advance(2n * SECOND)
    await decide(world)
    expect(world.config.reads()).toBeGreaterThan(reads)
  })

  test('is read again before a denial, so that a raised limit applies within a second on every node', async () => {
    const world = worldWith(1)
    const other = world.join()
    expect((await decide(world, undefined, other)).allowed).toBe(true)
    expect((await decide(world, undefined, other)).allowed).toBe(false)
    world.config.putLimits(entityOwner('key'), '_default_', limitsOf({ rpm: [5, 1 / 3600] }))
    world.clock.advance(SECOND + 1n)
    expect((await decide(world, undefined, other)).allowed).toBe(true)
  })

  test('is read at most once per second, however many requests are denied', async () => {
    const world = worldWith(1)
    await decide(world)
    world.clock.advance(2n * SECOND)
    await decide(world)
    const reads = world.config.reads()
    for (let turn = 0; turn < 50; turn++) expect((await decide(world)).allowed).toBe(false)
    expect(world.config.reads()).toBe(reads)
  })

  test('is dropped at once in the process that changes it, even while it is being read', async () => {
    const world = worldWith(1)
    await decide(world)
    world.config.putLimits(entityOwner('key'), '_default_', limitsOf({ rpm: [5, 1 / 3600] }))
    world.node.limiter.forget()
    expect((await decide(world)).allowed).toBe(true)
  })

  test('is used beyond its age while the store is unavailable', async () => {
    const config = createTestConfig()
    let isUnavailable = false
    const flaky = withOutage(config, () => isUnavailable)
    const world = createTestWorld()
    const node = createTestNode({ ...world, config: flaky })
    config.putEntity('key')
    config.putLimits(entityOwner('key'), '_default_', limitsOf({ rpm: [5, 1 / 3600] }))
    expect((await decide(world, undefined, node)).allowed).toBe(true)
    isUnavailable = true
    world.clock.advance(3600n * SECOND)
    expect((await decide(world, undefined, node)).allowed).toBe(true)
    await expect(
      node.limiter.decide({ entityId: 'stranger', cost: { requests: 1 }, settles: false }),
    ).rejects.toBeInstanceOf(StoreUnavailable)
  })

  test('is read once per second while the store is unavailable, not for every decision', async () => {
    const config = createTestConfig()
    let isUnavailable = false
    let sent = 0
    const flaky = withOutage(config, () => {
      sent++
      return isUnavailable
    })
    const world = createTestWorld()
    const node = createTestNode({ ...world, config: flaky })
    config.putEntity('key')
    config.putLimits(entityOwner('key'), '_default_', limitsOf({ rpm: [100, 1 / 3600] }))
    await decide(world, undefined, node)
    isUnavailable = true
    world.clock.advance(3600n * SECOND)
    for (let turn = 0; turn < 5; turn++) await decide(world, undefined, node)
    const before = sent
    for (let turn = 0; turn < 20; turn++) expect((await decide(world, undefined, node)).allowed).toBe(true)
    expect(sent).toBe(before)
    isUnavailable = false
    world.clock.advance(SECOND)
    await decide(world, undefined, node)
    config.putLimits(entityOwner('key'), '_default_', limitsOf({ rpm: [1, 1 / 3600] }))
    world.clock.advance(31n * SECOND)
    expect((await decide(world, undefined, node)).allowed).toBe(false)
  })
})

const withOutage = (config: TestConfig, isUnavailable: () => boolean): TestConfig => {
  const guarded =
    <A extends readonly unknown[], T>(read: (...args: A) => Promise<T>) =>
    (...args: A): Promise<T> =>
      isUnavailable()
        ? Promise.reject(new StoreUnavailable('away', { mayHaveApplied: false }))
        : read(...args)
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
