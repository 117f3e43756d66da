import { describe, expect, test } from 'vitest'
import { SECOND } from '../test-clock.ts'
import { entityOwner, limitsOf } from '../test-config.ts'
import { createTestWorld } from '../test-limiter.ts'
import { admits, worldOf } from '../token-world.ts'

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
