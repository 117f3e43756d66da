import { describe, expect, test } from 'vitest'
import { parseLimits } from '../../../src/contract/limits.ts'
import { type BucketStore, entityBucket } from '../../../src/core/bucket/bucket-store.ts'
import { set } from '../../../src/core/bucket/write.ts'
import { SECOND } from '../test-clock.ts'
import { entityOwner, limitsOf } from '../test-config.ts'
import { createTestNode, createTestWorld, type TestWorld } from '../test-limiter.ts'
import { admits, available, sometimesUnavailable, stored, worldOf } from '../token-world.ts'

/** `child` with a limit of 5 tokens below `key` with one of 100. */
const createFamily = (): TestWorld => {
  const world = worldOf(100, 1 / 3600)
  world.config.putEntity('child', { parentId: 'key' })
  world.config.putLimits(entityOwner('child'), '_default_', limitsOf({ tpm: [5, 1 / 3600] }))
  return world
}

describe('a denied request', () => {
  test('consumes nothing of a parent if the bucket of the child cannot be parsed', async () => {
    const world = createFamily()
    await world.buckets.write(entityBucket('child', '_default_'), {
      conditions: [],
      actions: [set('born', 1n), set('rev', 1n), set('tpm_limit', 'leaky_bucket 5 per 60s')],
    })
    await expect(admits(world.node, 1, { entityId: 'child' })).rejects.toThrow('leaky_bucket')
    expect(await available(world)).toBe(100)
    expect(await stored(world)).not.toHaveProperty('used_tokens')
  })

  test('consumes nothing of the bucket that was charged first if another cannot be parsed', async () => {
    const world = createFamily()
    expect(await admits(world.node, 5, { entityId: 'child' })).toBe(true)
    await world.join().limiter.topUp('child', {})
    const other = [set('tpm_limit', 'leaky_bucket 5 per 60s'), set('tpm_version', 10n ** 20n)]
    world.node.limiter.forget()
    await world.buckets.write(entityBucket('key', '_default_'), { conditions: [], actions: other })
    await expect(admits(world.node, 5, { entityId: 'child' })).rejects.toThrow('leaky_bucket')
    expect((await world.join().limiter.status('child', '_default_')).limits[0]?.available).toBe(5)
  })

  test('consumes nothing of a parent if its entity turns out to be deleted', async () => {
    const world = createFamily()
    let isDeleted = false
    const entity = (id: string) =>
      isDeleted && id === 'child' ? Promise.resolve(undefined) : world.config.entity(id)
    const node = createTestNode({ ...world, config: { ...world.config, entity } })
    expect(await admits(node, 1, { entityId: 'child' })).toBe(true)
    const later = [set('tpm_limit', 'token_bucket 9 per 60s'), set('tpm_version', 10n ** 20n)]
    await world.buckets.write(entityBucket('child', '_default_'), { conditions: [], actions: later })
    world.clock.advance(2n * SECOND)
    isDeleted = true
    await expect(admits(node, 1, { entityId: 'child' })).rejects.toMatchObject({ code: 'not_found' })
    expect(await available(world)).toBe(99)
  })

  test('with an invalid amount is rejected before anything is charged', async () => {
    const world = createFamily()
    for (const tokens of [-1, 0.5, Number.NaN]) {
      await expect(admits(world.node, tokens)).rejects.toMatchObject({
        code: 'invalid_request',
        field: 'cost.tokens',
      })
    }
    expect(await stored(world)).toEqual({})
  })

  test('never passes if it is larger than a limit, even while the store is unavailable', async () => {
    const world = createFamily()
    const node = createTestNode({ ...world, buckets: sometimesUnavailable(world, () => true) })
    const decision = await node.limiter.decide({ entityId: 'key', cost: { tokens: 101 }, settles: false })
    expect(decision).toMatchObject({
      ...{ allowed: false, unavailable: false, retryAfterNs: null },
      ...{ degraded: true, unavailableCause: 'away', limits: [] },
    })
    await expect(admits(node, 1, { dryRun: true })).rejects.toThrow('away')
  })

  test('has a short wait if every write conflicts, and is counted', async () => {
    const world = createFamily()
    const buckets: BucketStore = {
      ...world.buckets,
      write: async (id) => ({ applied: false, item: await world.buckets.read(id) }),
    }
    const node = createTestNode({ ...world, buckets })
    const decision = await node.limiter.decide({ entityId: 'key', cost: { tokens: 1 }, settles: false })
    expect(decision).toMatchObject({ allowed: false, retryAfterNs: 50_000_000n, unavailable: false })
    expect(node.counts).toMatchObject({ decisions_contended: 1, bucket_writes: 3 })
  })

  test('returns the limits as they are after all refunds', async () => {
    const world = createFamily()
    expect(await admits(world.join(), 99)).toBe(true)
    const decision = await world.node.limiter.decide({
      entityId: 'child',
      cost: { tokens: 2 },
      settles: false,
    })
    expect(decision).toMatchObject({ allowed: false, violations: [{ state: { entityId: 'key' } }] })
    expect(decision.limits.map(({ available: left }) => left)).toEqual([5, 1])
  })

  test('returns the limits as they are after leases have taken over the refunds', async () => {
    const world = createTestWorld({ leaseTtlMs: 1000 })
    world.config.putEntity('key')
    world.config.putEntity('child', { parentId: 'key' })
    world.config.putLimits(entityOwner('key'), '_default_', limitsOf({ tpm: [3, 1 / 3600] }))
    world.config.putLimits(entityOwner('child'), '_default_', limitsOf({ tpm: [50, 1 / 3600] }))
    const decide = () => world.node.limiter.decide({ entityId: 'child', cost: { tokens: 1 }, settles: false })
    await decide()
    await decide()
    // another process takes the last of the parent, so the child is charged before the parent denies
    expect(await admits(world.join(), 1)).toBe(true)
    const decision = await decide()
    expect(decision).toMatchObject({ allowed: false, violations: [{ state: { entityId: 'key' } }] })
    expect(decision.limits.map(({ available: left }) => left)).toEqual([48, 0])
  })

  test('costs one write if its cost is empty, whatever is cached', async () => {
    const world = createFamily()
    const node = world.join()
    expect(await admits(node, 1)).toBe(true)
    world.clock.advance(2n * 3600n * SECOND)
    expect(await admits(world.join(), 100)).toBe(true)
    expect(await admits(node, 0)).toBe(true)
    expect(node.counts.bucket_writes).toBe(2)
  })
})

test.each([
  ['a token bucket', { capacity: 3, refill_rate: 0.01 }],
  ['a sliding window', { algorithm: 'sliding_window', limit: 3, window_seconds: 3600 }],
  ['a fixed window', { algorithm: 'fixed_window', limit: 3, window: 'hour' }],
  ['a bucket that keeps room', { capacity: 4, refill_rate: 0.01, headroom: { normal: 0.25 } }],
])('an allowed request that takes the last of %s returns when the next is available', async (_, size) => {
  const world = createTestWorld()
  world.config.putEntity('key')
  const limits = parseLimits([{ name: 'r', meter: 'requests', ...size }], 'limits')
  world.config.putLimits(entityOwner('key'), '_default_', limits)
  const decide = (dryRun = false) =>
    world.node.limiter.decide({ entityId: 'key', cost: { requests: 1 }, settles: false, dryRun })
  await decide()
  world.clock.advance(7n * SECOND)
  expect((await decide()).limits[0]).not.toHaveProperty('nextNs')
  const last = await decide()
  expect(last).toMatchObject({ allowed: true, limits: [{ available: 0 }] })
  const nextNs = last.limits[0]?.nextNs ?? 0n
  world.clock.advance(nextNs - 1n)
  expect((await decide(true)).allowed).toBe(false)
  world.clock.advance(1n)
  expect((await decide(true)).allowed).toBe(true)
})

/** Regression cases on the real limiter: sizes and costs. Times in seconds. */

describe('sizes that do not divide evenly', () => {
  const admitted = async (capacity: number, refillRate: number, cost = 1): Promise<number> => {
    const world = worldOf(capacity, refillRate)
    let count = 0
    while (await admits(world.node, cost)) count += cost
    return count
  }

  test('admit exactly their capacity', async () => {
    expect(await admitted(7, 7 / 60)).toBe(7)
    expect(await admitted(1000, 16.666666666666668)).toBe(1000)
    expect(await admitted(25_000_000, 25_000_000 / 60, 250_000)).toBe(25_000_000)
    expect(await admitted(1_000_000_000, 1_000_000_000 / 60, 100_000_000)).toBe(1_000_000_000)
  })

  test('never refill faster than configured: 3 per second, 5.99 in a second less a hundredth', async () => {
    const world = worldOf(3, 3)
    expect(await admits(world.node, 3)).toBe(true)
    world.clock.advance(SECOND - 1n)
    expect(await admits(world.node, 3)).toBe(false)
    world.clock.advance(3n)
    expect(await admits(world.node, 3)).toBe(true)
  })
})

describe('a cost larger than the capacity', () => {
  test('is denied permanently without a write, and takes precedence over violations with a wait', async () => {
    const world = createTestWorld()
    world.config.putEntity('key')
    world.config.putLimits(entityOwner('key'), '_default_', limitsOf({ rpm: [1, 1], tpm: [100, 1] }))
    const decide = (tokens: number) =>
      world.node.limiter.decide({ entityId: 'key', cost: { requests: 1, tokens }, settles: false })
    expect((await decide(100)).allowed).toBe(true)
    const writes = world.node.counts.bucket_writes
    const decision = await decide(101)
    expect(decision).toMatchObject({ allowed: false, retryAfterNs: null })
    expect(decision.allowed ? [] : decision.violations.map(({ state }) => state.limit.name)).toEqual([
      'rpm',
      'tpm',
    ])
    expect(world.node.counts.bucket_writes).toBe(writes)
  })
})
