import { describe, expect, test } from 'vitest'
import { parseLimits } from '../../../src/contract/limits.ts'
import { entityBucket } from '../../../src/core/bucket/bucket-store.ts'
import { momentOf } from '../../../src/core/ports/platform.ts'
import { createSharing, effectiveLimits } from '../../../src/core/resolve/effective-limits.ts'
import type { ApplicableBucket } from '../../../src/core/resolve/resolution.ts'
import { lruCaches } from '../../../src/platform/runtime.ts'
import { SECOND } from '../test-clock.ts'
import { entityOwner, limitsOf } from '../test-config.ts'
import { createTestNode, createTestWorld, type TestNode } from '../test-limiter.ts'

/** A world in which reads of limit sets are held until the test releases them. */
const createSlowWorld = () => {
  const world = createTestWorld()
  world.config.putEntity('key')
  const putRpm = (capacity: number) =>
    world.config.putLimits(entityOwner('key'), '_default_', limitsOf({ rpm: [capacity, 1 / 3600] }))
  putRpm(10)
  const waiting: (() => void)[] = []
  let isSlow = true
  const config: typeof world.config = {
    ...world.config,
    async limitSets(keys) {
      const sets = await world.config.limitSets(keys)
      if (isSlow) await new Promise<void>((resolve) => waiting.push(resolve))
      return sets
    },
  }
  const releaseReads = async (): Promise<void> => {
    isSlow = false
    for (const go of waiting.splice(0)) go()
  }
  return { world, node: createTestNode({ ...world, config }), putRpm, releaseReads }
}

const capacityOf = async ({ limiter }: TestNode): Promise<number | undefined> =>
  (await limiter.decide({ entityId: 'key', cost: { requests: 1 }, settles: false })).limits[0]?.capacity

const soon = () => new Promise((resolve) => setImmediate(resolve))

describe('a read in flight', () => {
  test('serves all concurrent callers', async () => {
    const { world, node, releaseReads } = createSlowWorld()
    const reads = Array.from({ length: 10 }, () => capacityOf(node))
    await soon()
    await releaseReads()
    expect(new Set(await Promise.all(reads))).toEqual(new Set([10]))
    // the entity, and its sets of limits
    expect(world.config.reads()).toBe(2)
  })

  test('serves no caller after a change by this process, and is not cached', async () => {
    const { world, node, putRpm, releaseReads } = createSlowWorld()
    const before = capacityOf(node)
    await soon()
    putRpm(50)
    node.limiter.forget()
    const after = capacityOf(node)
    await soon()
    await releaseReads()
    expect(await Promise.all([before, after])).toEqual([10, 50])
    const reads = world.config.reads()
    expect(await capacityOf(node)).toBe(50)
    expect(world.config.reads()).toBe(reads)
  })

  test('is not cached even if nothing has been read since', async () => {
    const { node, putRpm, releaseReads } = createSlowWorld()
    const before = capacityOf(node)
    await soon()
    putRpm(50)
    node.limiter.forget()
    await releaseReads()
    await before
    expect(await capacityOf(node)).toBe(50)
  })

  test('is as old as its request', async () => {
    const { world, node, putRpm, releaseReads } = createSlowWorld()
    const before = capacityOf(node)
    await soon()
    putRpm(50)
    world.clock.advance(20n * SECOND)
    await releaseReads()
    await before
    world.clock.advance(11n * SECOND)
    expect(await capacityOf(node)).toBe(50)
  })
})

test('a request for the bucket of all resources alone is rejected, because it would skip all other limits', async () => {
  const world = createTestWorld()
  world.config.putEntity('key')
  world.config.putLimits(entityOwner('key'), '_total_', limitsOf({ rpm: [3, 1 / 3600] }))
  const request = { entityId: 'key', resource: '_total_', cost: { requests: 1 }, settles: false }
  await expect(world.node.limiter.decide(request)).rejects.toMatchObject({
    code: 'invalid_request',
    field: 'resource',
  })
  expect((await world.node.limiter.status('key', '_total_')).limits).toMatchObject([{ available: 3 }])
})

const plan = (entityId: string, capacity: number): ApplicableBucket => {
  const limits = parseLimits([{ name: 'rpm', capacity, refill_rate: 1 }], 'limits')
  const layers = [{ source: 'entity:_default_', resource: '_default_', limits, version: 1n, isOwn: true }]
  return {
    id: entityBucket(entityId, '_default_'),
    entityId,
    resource: '_default_',
    limits: effectiveLimits(layers, 1n),
    layers,
    isOwn: true,
  }
}

test('limits of one size share one algorithm, and others do not', () => {
  const share = createSharing(lruCaches)
  const [alice, bob, carol] = [plan('alice', 60), plan('bob', 60), plan('carol', 61)].map(share)
  expect(alice?.limits[0]?.algorithm).toBe(bob?.limits[0]?.algorithm)
  expect(carol?.limits[0]?.algorithm.capacity).toBe(61)
})

test('equal lists of the same limits are one list', () => {
  const share = createSharing(lruCaches)
  const { limits, ...alice } = plan('alice', 60)
  const listOf = (version: bigint, headroom = 0) =>
    share({ ...alice, limits: limits.map((effective) => ({ ...effective, version, headroom })) }).limits
  const first = listOf(1n)
  expect(listOf(1n)).toBe(first)
  expect(listOf(2n).map(({ version }) => version)).toEqual([2n])
  expect(listOf(1n, 0.5).map(({ headroom }) => headroom)).toEqual([0.5])
  const two = [...first, ...share(plan('bob', 70)).limits]
  expect(share({ ...alice, limits: two }).limits).toHaveLength(2)
  expect(share({ ...alice, limits: first }).limits).toEqual(first)
})

test('nothing else of a plan changes', () => {
  const share = createSharing(lruCaches)
  const { limits, ...rest } = plan('alice', 60)
  const shared = share({ limits, ...rest })
  expect(shared).toMatchObject(rest)
  expect(
    shared.limits.map(({ algorithm, ...effective }) => ({ ...effective, text: algorithm.text })),
  ).toEqual(limits.map(({ algorithm, ...effective }) => ({ ...effective, text: algorithm.text })))
})

describe('the limits of a new entity', () => {
  /** An entity that was created `agoSeconds` ago, and read before it has limits. */
  const created = async (agoSeconds: bigint, of: 'key' | 'project' = 'key') => {
    const world = createTestWorld({ configCacheMs: 30_000 })
    const { clock, config } = world
    const createdAt = (id: string) => ({ createdAt: id === of ? clock.now() - agoSeconds * SECOND : 0n })
    config.putEntity('key', { parentId: 'project', ...createdAt('key') })
    config.putEntity('project', createdAt('project'))
    const node = createTestNode(world)
    const rpmOf = async (entityId: string) => {
      const { limits } = await node.limiter.decide({ entityId: 'key', cost: { requests: 1 }, settles: false })
      return limits.find((state) => state.entityId === entityId && state.limit.name === 'rpm')?.capacity
    }
    await rpmOf(of)
    config.putLimits(entityOwner(of), '_default_', limitsOf({ rpm: [7000, 1 / 3600] }))
    return { ...world, node, rpmOf: () => rpmOf(of) }
  }

  test.each(['key', 'project'] as const)('apply within a second of being set: %s', async (of) => {
    const { clock, rpmOf } = await created(0n, of)
    expect(await rpmOf()).not.toBe(7000)
    clock.advance(SECOND)
    expect(await rpmOf()).toBe(7000)
  })

  test('apply within a second until it is as old as cached configuration may be', async () => {
    const { clock, rpmOf } = await created(29n)
    clock.advance(SECOND)
    expect(await rpmOf()).toBe(7000)
  })

  test('are cached as usual from then on', async () => {
    const { clock, rpmOf } = await created(30n)
    clock.advance(29n * SECOND)
    expect(await rpmOf()).not.toBe(7000)
    clock.advance(SECOND)
    expect(await rpmOf()).toBe(7000)
  })

  test('are read at most once per second, and once the entity is no longer new as seldom as others', async () => {
    const { clock, config, rpmOf } = await created(0n)
    const readsOf = async (seconds: number) => {
      const before = config.reads()
      for (let ms = 0; ms < 1000 * seconds; ms += 100) {
        await rpmOf()
        clock.advance(SECOND / 10n)
      }
      return config.reads() - before
    }
    clock.advance(SECOND)
    // the limit sets alone, in one call
    expect(await readsOf(20)).toBe(20)
    clock.advance(30n * SECOND)
    expect(await readsOf(20)).toBeLessThan(5)
  })

  test('apply within a second to decisions on leases as well', async () => {
    const world = createTestWorld({ configCacheMs: 30_000, leaseTtlMs: 60_000 })
    const { clock, config, node } = world
    config.putEntity('key', { createdAt: clock.now() })
    config.putLimits(entityOwner('key'), '_default_', limitsOf({ rpm: [10_000, 1] }))
    const target = node.limiter.prepare({ entityId: 'key' })
    const decide = () => node.limiter.decide({ entityId: 'key', cost: { requests: 1 }, settles: false })
    for (let at = 0; at < 3; at++) await Promise.all(Array.from({ length: 20 }, decide))
    const atOnce = () => target.decide({ requests: 1 }, false, momentOf(clock))
    expect(atOnce()).toMatchObject({ allowed: true })
    config.putLimits(entityOwner('key'), '_default_', limitsOf({ rpm: [7, 1 / 3600] }))
    clock.advance(SECOND)
    expect(atOnce()).toBeUndefined()
    expect((await decide()).limits[0]?.capacity).toBe(7)
  })
})
