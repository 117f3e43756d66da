import { describe, expect, test } from 'vitest'
import { parseLimits } from '../../../src/contract/limits.ts'
import type { Decision } from '../../../src/core/decide/decision.ts'
import type { LimiterSettings } from '../../../src/core/decide/limiter.ts'
import { entityOwner } from '../test-config.ts'
import { createTestNode, createTestWorld } from '../test-limiter.ts'
import { createThrottlingStore } from '../throttling-store.ts'
import { available } from '../token-world.ts'

const MS = 1_000_000n

/** A node on a table that throttles when a test says so. */
const throttledWorld = (capacity: number, settings: Partial<LimiterSettings> = {}) => {
  const world = createTestWorld()
  world.config.putEntity('key')
  const limits = [{ name: 'tpm', capacity, refill_rate: 0.001 }]
  world.config.putLimits(entityOwner('key'), '_default_', parseLimits(limits, 'limits'))
  const buckets = createThrottlingStore(world.buckets)
  const pauses: number[] = []
  const node = createTestNode({
    ...world,
    buckets,
    settings: { leaseTtlMs: 1000, ...settings },
    pause: async (tries) => void pauses.push(tries),
  })
  const ask = (tokens = 1): Promise<Decision> =>
    node.limiter.decide({ entityId: 'key', cost: { tokens }, settles: false })
  /** A hundred requests a second; how many writes were applied. */
  const askFor = async (seconds: number): Promise<number> => {
    const before = buckets.applied
    for (let turn = 0; turn < seconds * 100; turn++) {
      expect(await ask()).toMatchObject({ allowed: true, degraded: false })
      world.clock.advance(10n * MS)
      if (turn % 100 === 99) await node.limiter.flush()
    }
    return buckets.applied - before
  }
  return { world, node, buckets, pauses, ask, askFor }
}

describe('where a table throttles a bucket', () => {
  test('leases reach a second ahead, and a quarter of one again once it does not', async () => {
    const { buckets, askFor } = throttledWorld(1_000_000)
    await askFor(2)
    const usual = await askFor(8)
    let throttled = 0
    for (let second = 0; second < 8; second++) {
      buckets.refuse(2)
      throttled += await askFor(1)
    }
    expect(usual).toBeGreaterThan(28)
    expect(throttled).toBeLessThan(usual / 2)
    await askFor(4)
    expect(await askFor(8)).toBeGreaterThan(28)
  })

  test('leases grow no further than a second, however often it does', async () => {
    const { world, buckets, askFor, ask } = throttledWorld(1_000_000, { leaseTtlMs: 10_000 })
    await askFor(3)
    for (let round = 0; round < 20; round++) {
      buckets.refuse(3)
      world.clock.advance(50n * MS)
      await askFor(0.2)
    }
    await ask()
    const left = (await available(world)) ?? 0
    const spent = 3 * 100 + 20 * 20 + 1
    expect(1_000_000 - spent - left).toBeLessThan(250)
  })

  test('leases hold no more than a quarter of what is available', async () => {
    const { world, buckets, ask } = throttledWorld(1000)
    let most = 0
    for (let spent = 1; spent <= 800; spent++) {
      if (spent % 20 === 0) buckets.refuse(3)
      expect((await ask()).allowed).toBe(true)
      const ahead = 1000 - spent - ((await available(world)) ?? 0)
      expect(ahead).toBeLessThanOrEqual((1000 - spent) / 4 + 1)
      most = Math.max(most, ahead / (1000 - spent))
    }
    expect(most).toBeGreaterThan(0.2)
  })

  test('leases hold no more than serves for their life', async () => {
    const { world, buckets, node, askFor } = throttledWorld(1_000_000, { leaseTtlMs: 300 })
    await askFor(3)
    let most = 0
    for (let asked = 310; asked <= 400; asked += 10) {
      buckets.refuse(3)
      await askFor(0.1)
      buckets.refuse(0)
      await node.limiter.flush()
      most = Math.max(most, 1_000_000 - asked - ((await available(world)) ?? 0))
    }
    expect(most).toBeGreaterThan(10)
    // a quarter of a second's worth, and half of that where the next is there already
    expect(most).toBeLessThan(45)
  })

  test('a request that is tried again is not demand once more', async () => {
    const { world, buckets, ask } = throttledWorld(1_000_000)
    for (let turn = 0; turn < 4; turn++) {
      buckets.refuse(3)
      await ask(10)
    }
    // of forty in a quarter of a second, four times as far
    expect(1_000_000 - 40 - ((await available(world)) ?? 0)).toBeLessThanOrEqual(160)
  })

  test('a charge is tried again after pauses that grow, and admitted', async () => {
    const { buckets, ask, pauses, node } = throttledWorld(1000)
    buckets.refuse(3)
    expect(await ask()).toMatchObject({ allowed: true, degraded: false })
    expect(pauses).toEqual([1, 2, 3])
    expect(node.counts).toMatchObject({ charges_throttled: 3, bucket_writes: 4 })
  })

  test('a charge is given up after four tries, and on_unavailable decides', async () => {
    const { buckets, ask } = throttledWorld(1000, { onUnavailable: 'allow' })
    buckets.refuse(1000)
    expect(await ask()).toMatchObject({ allowed: true, degraded: true })
    expect(buckets.refused).toBe(4)
  })

  test('a charge is given up where half the deadline has gone by', async () => {
    const { world, buckets, node } = throttledWorld(1000)
    const slow = createTestNode({
      ...world,
      buckets,
      pause: async () => world.clock.advance(100n * MS),
    })
    buckets.refuse(1000)
    const request = { entityId: 'key', cost: { tokens: 1 }, settles: false }
    expect(await slow.limiter.decide(request)).toMatchObject({ allowed: false, unavailable: true })
    expect(buckets.refused).toBe(3)
    expect(node.counts.bucket_writes).toBeUndefined()
  })

  test('other buckets are left theirs', async () => {
    const { world, buckets, ask, node } = throttledWorld(1000)
    world.config.putEntity('other')
    const limits = parseLimits([{ name: 'tpm', capacity: 10, refill_rate: 1 }], 'limits')
    world.config.putLimits(entityOwner('other'), '_default_', limits)
    buckets.refuse(40)
    for (let turn = 0; turn < 10; turn++) await ask()
    const request = { entityId: 'other', cost: { tokens: 1 }, settles: false }
    expect(await node.limiter.decide(request)).toMatchObject({ allowed: true, degraded: false })
  })

  test('a request that is larger than the lease is not refused', async () => {
    const { buckets, askFor, ask } = throttledWorld(100_000)
    await askFor(2)
    buckets.refuse(3)
    expect(await ask(60_000)).toMatchObject({ allowed: true, degraded: false })
  })
})
