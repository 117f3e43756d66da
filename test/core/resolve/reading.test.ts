import { describe, expect, test } from 'vitest'
import { parseLimits } from '../../../src/contract/limits.ts'
import { entityBucket } from '../../../src/core/bucket/bucket-store.ts'
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
