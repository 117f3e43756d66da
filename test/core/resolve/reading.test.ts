import { describe, expect, test } from 'vitest'
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
