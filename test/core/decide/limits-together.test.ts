import { describe, expect, test } from 'vitest'
import { SECOND } from '../test-clock.ts'
import { entityOwner, limitsOf } from '../test-config.ts'
import { createTestWorld, type TestNode } from '../test-limiter.ts'
import { admits, worldOf } from '../token-world.ts'

/** Regression cases on the real limiter: several limits in one bucket. Times in seconds. */

describe('limits of one bucket', () => {
  test('are charged together when each has gone from full to refilling since it was cached', async () => {
    const world = createTestWorld()
    world.config.putEntity('key')
    world.config.putLimits(
      entityOwner('key'),
      '_default_',
      limitsOf({ rps: [9, 9], rpm: [9, 1], rph: [9, 0.1] }),
    )
    const [old, other] = [world.join(), world.join()]
    const decide = (node: TestNode) =>
      node.limiter.decide({ entityId: 'key', cost: { requests: 1 }, settles: false })
    expect((await decide(old)).allowed).toBe(true)
    world.clock.advance(100n * SECOND)
    expect((await decide(other)).allowed).toBe(true)
    expect((await decide(old)).allowed).toBe(true)
    expect(old.counts.bucket_writes).toBeLessThanOrEqual(3)
  })

  test('can be joined by another while the bucket exists', async () => {
    const world = worldOf(100, 1)
    expect(await admits(world.node, 60)).toBe(true)
    world.config.putLimits(entityOwner('key'), '_default_', limitsOf({ rpm: [1, 1 / 60], tpm: [100, 1] }))
    const fresh = world.join()
    const decide = () =>
      fresh.limiter.decide({ entityId: 'key', cost: { requests: 1, tokens: 10 }, settles: false })
    expect((await decide()).allowed).toBe(true)
    expect(await decide()).toMatchObject({
      allowed: false,
      violations: [{ state: { limit: { name: 'rpm' } } }],
    })
    expect(
      (await world.join().limiter.status('key', '_default_')).limits.map((limit) => limit.available),
    ).toEqual([0, 30])
  })

  test('share one bucket for all unregistered resource names', async () => {
    const world = worldOf(10, 1 / 3600)
    world.config.putModel('gpt-4')
    for (let turn = 0; turn < 10; turn++)
      expect(await admits(world.node, 1, { resource: `model-${turn}` })).toBe(true)
    expect(await admits(world.node, 1, { resource: 'model-x' })).toBe(false)
    expect(await admits(world.node, 1, { resource: 'gpt-4' })).toBe(true)
  })

  test('on input and output tokens replace a default on tokens', async () => {
    const world = createTestWorld({ defaultLimits: limitsOf({ tpm: [10_000, 100], rpm: [5, 1] }) })
    world.config.putEntity('key')
    world.config.putLimits(
      entityOwner('key'),
      '_default_',
      limitsOf({ itpm: [20_000, 300], otpm: [10_000, 100] }),
    )
    const cost = { requests: 1, input_tokens: 15_000, output_tokens: 1000 }
    expect((await world.node.limiter.decide({ entityId: 'key', cost, settles: false })).allowed).toBe(true)
    expect((await world.node.limiter.explain('key')).map(({ limit }) => limit.name).sort()).toEqual([
      'itpm',
      'otpm',
      'rpm',
    ])
  })
})
