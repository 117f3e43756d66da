import { describe, expect, test } from 'vitest'
import { SECOND } from '../test-clock.ts'
import { entityOwner, limitsOf } from '../test-config.ts'
import { createTestWorld, type TestNode } from '../test-limiter.ts'
import { admits, worldOf } from '../token-world.ts'

/** Cases that broke earlier drafts of the design, on the real limiter: several limits in one bucket. Times in seconds. */

describe('limits of one bucket', () => {
  test('are charged together when each has gone from full to refilling since it was seen', async () => {
    const world = createTestWorld()
    world.config.putEntity('key')
    world.config.putLimits(
      entityOwner('key'),
      '_default_',
      limitsOf({ rps: [9, 9], rpm: [9, 1], rph: [9, 0.1] }),
    )
    const [old, other] = [world.join(), world.join()]
    const ask = (node: TestNode) =>
      node.limiter.decide({ entityId: 'key', cost: { requests: 1 }, settles: false })
    expect((await ask(old)).allowed).toBe(true)
    world.clock.advance(100n * SECOND)
    expect((await ask(other)).allowed).toBe(true)
    expect((await ask(old)).allowed).toBe(true)
    expect(old.counts.bucket_writes).toBeLessThanOrEqual(3)
  })

  test('may be joined by another while the bucket lives', async () => {
    const world = worldOf(100, 1)
    expect(await admits(world.node, 60)).toBe(true)
    world.config.putLimits(entityOwner('key'), '_default_', limitsOf({ rpm: [1, 1 / 60], tpm: [100, 1] }))
    const fresh = world.join()
    const ask = () =>
      fresh.limiter.decide({ entityId: 'key', cost: { requests: 1, tokens: 10 }, settles: false })
    expect((await ask()).allowed).toBe(true)
    expect(await ask()).toMatchObject({ allowed: false, violations: [{ state: { limit: { name: 'rpm' } } }] })
    expect(
      (await world.join().limiter.status('key', '_default_')).limits.map((limit) => limit.available),
    ).toEqual([0, 30])
  })

  test('share one bucket for all names that no model has', async () => {
    const world = worldOf(10, 1 / 3600)
    world.config.putModel('gpt-4')
    for (let turn = 0; turn < 10; turn++)
      expect(await admits(world.node, 1, { resource: `model-${turn}` })).toBe(true)
    expect(await admits(world.node, 1, { resource: 'model-x' })).toBe(false)
    expect(await admits(world.node, 1, { resource: 'gpt-4' })).toBe(true)
  })

  test('on input and output tokens keep a default on tokens out', async () => {
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
