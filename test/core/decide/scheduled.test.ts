import { describe, expect, test } from 'vitest'
import { parseLimits } from '../../../src/contract/limits.ts'
import { entityBucket } from '../../../src/core/bucket/bucket-store.ts'
import type { Decision } from '../../../src/core/decide/decision.ts'
import { createLimiter, type LimiterSettings } from '../../../src/core/decide/limiter.ts'
import { momentOf, noMetrics, silentLogger } from '../../../src/core/ports/platform.ts'
import { sha256 } from '../../../src/platform/runtime.ts'
import { createMemoryBucketStore } from '../../../src/store/memory/bucket-store.ts'
import { createTestClock, SECOND, START } from '../test-clock.ts'
import { createTestConfig, entityOwner } from '../test-config.ts'
import { createTestNode, createTestWorld, newMapCache, nodeOff, type TestNode } from '../test-limiter.ts'
import { reserve } from '../token-world.ts'

/* The tests begin at midnight (UTC); the entry holds from 01:00 to 02:00. */

const HOUR = 3600n * SECOND

const from1To2 = { cron: '0 1 * * *', time_zone: 'UTC', duration_seconds: 3600 }

const bucketOf = (capacity: number, scheduled: number) => ({
  name: 'tpm',
  capacity,
  refill_rate: capacity / 60,
  schedule: [{ ...from1To2, capacity: scheduled }],
})

const worldOf = (limit: object, settings: Partial<LimiterSettings> = {}) => {
  const world = createTestWorld(settings)
  world.config.putEntity('key')
  world.config.putLimits(entityOwner('key'), '_default_', parseLimits([limit], 'limits'))
  return world
}

const decide = ({ limiter }: Pick<TestNode, 'limiter'>, tokens: number): Promise<Decision> =>
  limiter.decide({ entityId: 'key', cost: { tokens }, settles: false })

const capacityOf = async (node: Pick<TestNode, 'limiter'>): Promise<number | undefined> =>
  (await decide(node, 1)).limits[0]?.capacity

const itemOf = ({ buckets }: Pick<ReturnType<typeof createTestWorld>, 'buckets'>) =>
  buckets.read(entityBucket('key', '_default_'))

describe('a limit with a schedule', () => {
  test('has another size from the moment on at which an entry begins, and its own when it ends', async () => {
    const world = worldOf(bucketOf(60, 600))
    const capacityAt = (at: bigint) => {
      world.clock.advanceTo(START + at)
      return capacityOf(world.node)
    }
    expect(await capacityAt(0n)).toBe(60)
    expect(await capacityAt(HOUR - 1n)).toBe(60)
    expect(await capacityAt(HOUR)).toBe(600)
    expect(await capacityAt(2n * HOUR - 1n)).toBe(600)
    expect(await capacityAt(2n * HOUR)).toBe(60)
    expect(await capacityAt(25n * HOUR)).toBe(600)
  })

  test('needs no read of the configuration for it', async () => {
    const world = worldOf(bucketOf(60, 600))
    world.clock.advanceTo(START + HOUR - SECOND)
    await decide(world.node, 1)
    const before = world.config.reads()
    world.clock.advance(SECOND)
    expect(await capacityOf(world.node)).toBe(600)
    expect(world.config.reads()).toBe(before)
  })

  test('has the time of the transition as its version, on every node, until it is changed later', async () => {
    const world = worldOf(bucketOf(60, 600))
    world.clock.advanceTo(START + HOUR + 5n * SECOND)
    await decide(world.node, 1)
    expect(await itemOf(world)).toMatchObject({
      tpm_limit: 'token_bucket 600 per 60s',
      tpm_version: START + HOUR,
    })
    const changed = START + HOUR + SECOND
    const other = parseLimits([bucketOf(60, 120)], 'limits')
    world.config.putLimits(entityOwner('key'), '_default_', other, changed)
    expect(await capacityOf(world.join())).toBe(120)
    expect(await itemOf(world)).toMatchObject({ tpm_version: changed })
  })

  test('keeps the amount in use', async () => {
    const world = worldOf(bucketOf(60, 600))
    world.clock.advanceTo(START + HOUR - 1n)
    await decide(world.node, 60)
    world.clock.advance(1n)
    expect((await decide(world.node, 1)).limits[0]).toMatchObject({ capacity: 600, available: 539 })
  })

  test('is charged by the size that holds when the write is sent', async () => {
    const world = worldOf(bucketOf(60, 600))
    world.clock.advanceTo(START + HOUR - 1n)
    let reads = 0
    // the transition comes between the resolution and the charge
    const now = (): bigint => START + HOUR - 1n + (reads++ > 2 ? 1n : 0n)
    const node = createTestNode({ ...world, clock: { now, monotonic: () => 0n } })
    expect((await decide(node, 100)).limits[0]).toMatchObject({ capacity: 600, available: 500 })
  })

  test('may be paused for a time, and states when it admits again', async () => {
    const world = worldOf(bucketOf(60, 0))
    world.clock.advanceTo(START + HOUR + 600n * SECOND)
    const denied = await decide(world.node, 1)
    expect(denied).toMatchObject({ allowed: false, retryAfterNs: HOUR - 600n * SECOND })
    world.clock.advanceTo(START + 2n * HOUR)
    expect((await decide(world.node, 1)).allowed).toBe(true)
  })

  test('states the time at which a larger size begins to admit a cost, never if none does', async () => {
    const world = worldOf(bucketOf(60, 600))
    world.clock.advanceTo(START + HOUR - 30n * SECOND)
    expect(await decide(world.node, 100)).toMatchObject({ allowed: false, retryAfterNs: 30n * SECOND })
    expect(await decide(world.node, 601)).toMatchObject({ allowed: false, retryAfterNs: null })
    expect((await decide(world.node, 60)).allowed).toBe(true)
    expect(await decide(world.node, 20)).toMatchObject({ allowed: false, retryAfterNs: 20n * SECOND })
    expect(await decide(world.node, 60)).toMatchObject({ allowed: false, retryAfterNs: 30n * SECOND })
  })
})

describe('a reservation that spans a transition', () => {
  test('gets no refund, even if nothing has been charged since', async () => {
    const world = worldOf(bucketOf(60, 600))
    world.clock.advanceTo(START + HOUR - 1n)
    const held = await reserve(world.node, 60)
    world.clock.advance(1n)
    await held.reservation.settle({ tokens: 10 })
    expect((await decide(world.node, 1)).limits[0]).toMatchObject({ available: 539 })
  })

  test('gets none when the same size holds again', async () => {
    const world = worldOf({
      name: 'tpm',
      algorithm: 'fixed_window',
      limit: 60,
      window: 'day',
      schedule: [{ ...from1To2, limit: 600 }],
    })
    world.clock.advanceTo(START + HOUR - 1n)
    const held = await reserve(world.node, 60)
    world.clock.advance(HOUR + 1n)
    await held.reservation.settle({ tokens: 10 })
    expect((await decide(world.node, 1)).allowed).toBe(false)
  })

  test('is refunded in full within one size', async () => {
    const world = worldOf(bucketOf(60, 600))
    world.clock.advanceTo(START + HOUR)
    const held = await reserve(world.node, 60)
    await held.reservation.settle({ tokens: 10 })
    expect((await decide(world.node, 1)).limits[0]).toMatchObject({ available: 589 })
  })
})

describe('decisions without a write', () => {
  const leased = (limit: object) => worldOf(limit, { leaseTtlMs: 60_000 })

  test('a lease ends with the size that it was charged by', async () => {
    const world = leased(bucketOf(6000, 6))
    world.clock.advanceTo(START + HOUR - SECOND / 2n)
    for (let i = 0; i < 100; i++) await decide(world.node, 1)
    const writes = world.node.counts.bucket_writes ?? 0
    expect((await decide(world.node, 1)).allowed).toBe(true)
    expect(world.node.counts.bucket_writes).toBe(writes)
    world.clock.advance(SECOND / 2n)
    expect((await decide(world.node, 1)).allowed).toBe(false)
  })

  test('a remembered denial does not outlive a transition', async () => {
    const world = leased(bucketOf(60, 600))
    world.clock.advanceTo(START + HOUR - 1n)
    await decide(world.node, 60)
    expect((await decide(world.node, 1)).allowed).toBe(false)
    expect((await decide(world.node, 1)).allowed).toBe(false)
    world.clock.advance(1n)
    expect((await decide(world.node, 1)).allowed).toBe(true)
  })

  test('buckets in memory switch within the same call', async () => {
    const [store, config, clock] = [createMemoryBucketStore(), createTestConfig(), createTestClock()]
    const limiter = createLimiter({
      ...{ buckets: store, live: store.live, config, clock, logger: silentLogger, newCache: newMapCache },
      ...{ localBuckets: createMemoryBucketStore(), metrics: noMetrics, pause: async () => {} },
      slotPrefix: 'slot-',
      hash: sha256,
    })
    config.putEntity('key')
    config.putLimits(entityOwner('key'), '_default_', parseLimits([bucketOf(60, 600)], 'limits'))
    const target = limiter.prepare({ entityId: 'key' })
    const atOnce = (tokens: number) => target.decide({ tokens }, false, momentOf(clock))
    clock.advanceTo(START + HOUR - 1000n)
    await decide({ limiter }, 59)
    expect(atOnce(1)).toMatchObject({ allowed: true, limits: [{ capacity: 60, available: 0 }] })
    clock.advance(1000n)
    expect(atOnce(1)).toBeUndefined()
    expect((await decide({ limiter }, 1)).limits[0]).toMatchObject({ capacity: 600, available: 539 })
    expect(atOnce(1)).toMatchObject({ allowed: true, limits: [{ capacity: 600, available: 538 }] })
    clock.advance(HOUR)
    expect(await decide({ limiter }, 61)).toMatchObject({ allowed: false, retryAfterNs: 23n * HOUR })
  })
})

describe('nodes with different clocks', () => {
  test('switch the bucket once, at the first of them, and never back', async () => {
    const world = worldOf(bucketOf(60, 600))
    const [fast, slow] = [nodeOff(world, 2), nodeOff(world, -2)]
    world.clock.advanceTo(START + HOUR - 3n * SECOND)
    for (const node of [fast, slow]) expect(await capacityOf(node)).toBe(60)
    world.clock.advance(2n * SECOND)
    // the clock of `fast` shows 01:00:01, that of `slow` 00:59:57
    expect(await capacityOf(fast)).toBe(600)
    // more than was left of the smaller size
    expect((await decide(slow, 59)).allowed).toBe(true)
    expect(await itemOf(world)).toMatchObject({ tpm_limit: 'token_bucket 600 per 60s' })
    world.clock.advance(5n * SECOND)
    for (const node of [fast, slow]) expect(await capacityOf(node)).toBe(600)
    const writes = () => (fast.counts.bucket_writes ?? 0) + (slow.counts.bucket_writes ?? 0)
    const before = writes()
    for (let turn = 0; turn < 10; turn++)
      expect((await decide(turn % 2 === 0 ? slow : fast, 1)).allowed).toBe(true)
    expect(writes()).toBe(before + 10)
  })
})
