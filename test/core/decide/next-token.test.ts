import { expect, test } from 'vitest'
import { parseLimits } from '../../../src/contract/limits.ts'
import { SECOND } from '../test-clock.ts'
import { entityOwner } from '../test-config.ts'
import { createTestWorld } from '../test-limiter.ts'

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
