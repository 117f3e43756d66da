import { describe, expect, test } from 'vitest'
import { parseLimits } from '../../../src/contract/limits.ts'
import type { Decision } from '../../../src/core/decide/decision.ts'
import type { LimiterSettings } from '../../../src/core/decide/limiter.ts'
import { entityOwner } from '../test-config.ts'
import { createTestNode, createTestWorld } from '../test-limiter.ts'
import { createThrottlingStore } from '../throttling-store.ts'
import { available } from '../token-world.ts'

const MS = 1_000_000n

/** A node on a table that throttles when the test sets it to. */
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
  const decide = (tokens = 1): Promise<Decision> =>
    node.limiter.decide({ entityId: 'key', cost: { tokens }, settles: false })
  /** A hundred requests per second; returns how many writes were applied. */
  const decideFor = async (seconds: number): Promise<number> => {
    const before = buckets.applied
    for (let turn = 0; turn < seconds * 100; turn++) {
      expect(await decide()).toMatchObject({ allowed: true, degraded: false })
      world.clock.advance(10n * MS)
      if (turn % 100 === 99) await node.limiter.flush()
    }
    return buckets.applied - before
  }
  return { world, node, buckets, pauses, decide, decideFor }
}

describe('if a table throttles a bucket', () => {
  test('leases cover up to a second, and a quarter of a second again once it recovers', async () => {
    const { buckets, decideFor } = throttledWorld(1_000_000)
    await decideFor(2)
    const usual = await decideFor(8)
    let throttled = 0
    for (let second = 0; second < 8; second++) {
      buckets.refuse(2)
      throttled += await decideFor(1)
    }
    expect(usual).toBeGreaterThan(28)
    expect(throttled).toBeLessThan(usual / 2)
    await decideFor(4)
    expect(await decideFor(8)).toBeGreaterThan(28)
  })

  test('leases never cover more than a second, however often it throttles', async () => {
    const { world, buckets, decideFor, decide } = throttledWorld(1_000_000, { leaseTtlMs: 10_000 })
    await decideFor(3)
    for (let round = 0; round < 20; round++) {
      buckets.refuse(3)
      world.clock.advance(50n * MS)
      await decideFor(0.2)
    }
    await decide()
    const left = (await available(world)) ?? 0
    const spent = 3 * 100 + 20 * 20 + 1
    expect(1_000_000 - spent - left).toBeLessThan(250)
  })

  test('leases hold at most a quarter of what is available', async () => {
    const { world, buckets, decide } = throttledWorld(1000)
    let most = 0
    for (let spent = 1; spent <= 800; spent++) {
      if (spent % 20 === 0) buckets.refuse(3)
      expect((await decide()).allowed).toBe(true)
      const ahead = 1000 - spent - ((await available(world)) ?? 0)
      expect(ahead).toBeLessThanOrEqual((1000 - spent) / 4 + 1)
      most = Math.max(most, ahead / (1000 - spent))
    }
    expect(most).toBeGreaterThan(0.2)
  })

  test('leases hold no more than the demand of their duration', async () => {
    const { world, buckets, node, decideFor } = throttledWorld(1_000_000, { leaseTtlMs: 300 })
    await decideFor(3)
    let most = 0
    for (let sent = 310; sent <= 400; sent += 10) {
      buckets.refuse(3)
      await decideFor(0.1)
      buckets.refuse(0)
      await node.limiter.flush()
      most = Math.max(most, 1_000_000 - sent - ((await available(world)) ?? 0))
    }
    expect(most).toBeGreaterThan(10)
    // a quarter of a second's demand, and half of that if the next lease is already there
    expect(most).toBeLessThan(45)
  })

  test('a retried request does not count as demand again', async () => {
    const { world, buckets, decide } = throttledWorld(1_000_000)
    for (let turn = 0; turn < 4; turn++) {
      buckets.refuse(3)
      await decide(10)
    }
    // of forty in a quarter of a second, four times that duration
    expect(1_000_000 - 40 - ((await available(world)) ?? 0)).toBeLessThanOrEqual(160)
  })

  test('a charge is retried after growing pauses, and admitted', async () => {
    const { buckets, decide, pauses, node } = throttledWorld(1000)
    buckets.refuse(3)
    expect(await decide()).toMatchObject({ allowed: true, degraded: false })
    expect(pauses).toEqual([1, 2, 3])
    expect(node.counts).toMatchObject({ charges_throttled: 3, bucket_writes: 4 })
  })

  test('a charge fails after four attempts, and on_unavailable decides', async () => {
    const { buckets, decide } = throttledWorld(1000, { onUnavailable: 'allow' })
    buckets.refuse(1000)
    expect(await decide()).toMatchObject({ allowed: true, degraded: true })
    expect(buckets.refused).toBe(4)
  })

  test('a charge fails after half of the deadline', async () => {
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

  test('leases of other buckets keep their size', async () => {
    const { world, buckets, decide, node } = throttledWorld(1000)
    world.config.putEntity('other')
    const limits = parseLimits([{ name: 'tpm', capacity: 10, refill_rate: 1 }], 'limits')
    world.config.putLimits(entityOwner('other'), '_default_', limits)
    buckets.refuse(40)
    for (let turn = 0; turn < 10; turn++) await decide()
    const request = { entityId: 'other', cost: { tokens: 1 }, settles: false }
    expect(await node.limiter.decide(request)).toMatchObject({ allowed: true, degraded: false })
  })

  test('a request that is larger than the lease is not denied', async () => {
    const { buckets, decideFor, decide } = throttledWorld(100_000)
    await decideFor(2)
    buckets.refuse(3)
    expect(await decide(60_000)).toMatchObject({ allowed: true, degraded: false })
  })
})
